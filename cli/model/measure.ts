import { counted } from '../../domain/base/counted.js';
import type { DrawColumns } from '../../domain/draw/drawColumns.js';
import { SEEN, type Seen, seenImages } from '../../domain/evaluate/seen.js';
import { type EvaluationSummary, summariseEvaluation } from '../../domain/evaluate/summary.js';
import type { EvaluationRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { TrainingList } from '../../domain/train/modelCard.js';
import { worstImages } from '../../report/tables.js';
import { printTable, say } from '../terminal/output.js';
import { places } from './modelRow.js';

/** What images say of a model. */
export interface Measure {
  /** Images that it has seen, by how; null if its training images are unknown. */
  seen: Record<Seen, number> | null;
  all: EvaluationSummary;
  /** On the images that it has not seen; null if it has seen none or all of them, or if that is unknown. */
  unseen: EvaluationSummary | null;
  /** Of the images that measure it, or of all if none does. */
  worst: ReturnType<typeof worstImages>;
}

/** Figures of judged images, and those that count: a model is not measured by what it was trained on. */
export function measure(judged: {
  rows: readonly EvaluationRow[];
  index: DrawColumns;
  /** null if it is unknown. */
  trainedOn: TrainingList | null;
  taxonomy: Taxonomy;
  /** Number of worst images. */
  worst: number;
}): Measure {
  const { rows, index, trainedOn, taxonomy } = judged;
  const seenOf = trainedOn === null ? new Map<string, Seen>() : seenImages(trainedOn, index);
  const fresh = rows.filter(({ imageId }) => !seenOf.has(imageId));
  const isPart = fresh.length > 0 && fresh.length < rows.length;
  const count = (how: Seen): number => rows.filter(({ imageId }) => seenOf.get(imageId) === how).length;
  return {
    seen: trainedOn === null ? null : { image: count('image'), copy: count('copy'), vehicle: count('vehicle') },
    all: summariseEvaluation(rows, taxonomy),
    unseen: isPart ? summariseEvaluation(fresh, taxonomy) : null,
    worst: worstImages(isPart ? fresh : rows, taxonomy, judged.worst),
  };
}

/** The same for programs: `measured` says which of the two summaries measures the model. */
export function measureJson({ seen, all, unseen, worst }: Measure) {
  const count = seenCount(seen);
  const measured = seen === null ? 'unknown' : unseen !== null ? 'unseen' : count === 0 ? 'all' : 'none';
  return { seen, measured, all, unseen, worst };
}

const seenCount = (seen: Measure['seen']): number => SEEN.reduce((sum, how) => sum + (seen?.[how] ?? 0), 0);

/** Figures for people; classes, slices and worst images are of the images that measure the model. */
export function printMeasure({ seen, all, unseen, worst }: Measure): void {
  say(...seenTexts(seen, all.images));
  printTable([
    ...(unseen === null ? [] : [headline('not seen', unseen)]),
    headline(unseen === null ? 'all' : 'all, seen ones too', all),
  ]);
  const { classes, slices } = unseen ?? all;
  printTable(
    classes.map(({ name, group, iou, boundaryIou, recall, pixels }) => ({
      ...{ class: name, group, IoU: places(iou), 'boundary IoU': places(boundaryIou), recall: places(recall), pixels },
    })),
  );
  printTable(slices.map(({ name, images, miou }) => ({ slice: name, images, mIoU: places(miou) })));
  printTable(worst.map(({ fileName, miou, mistake }) => ({ 'worst image': fileName, mIoU: places(miou), mistake })));
}

function seenTexts(seen: Measure['seen'], images: number): string[] {
  if (seen === null)
    return [
      'The training images of this model are unknown: if it was trained on these images, or on their vehicles, the',
      'figures do not measure it.',
    ];
  const count = seenCount(seen);
  if (count === 0) return ['It was trained on none of these images, none of their copies and none of their vehicles.'];
  const how = `${seen.image} itself, ${seen.copy} by a copy, ${seen.vehicle} by another image of the vehicle`;
  const part = count === images ? 'No figure here measures it.' : 'The figures below the first table leave them out.';
  return [`warning: it has seen ${counted(count, 'image', 'images')} of ${images} in training (${how}). ${part}`];
}

const headline = (images: string, { images: count, ...of }: EvaluationSummary) => ({
  ...{ images, count, mIoU: places(of.miou), major: places(of.majorMiou), minor: places(of.minorMiou) },
  ...{ 'boundary IoU': places(of.boundaryIou), 'per image': places(of.imageMiou) },
});
