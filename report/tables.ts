import { onCommonImages, type SliceVerdict } from '../domain/decide/gate.js';
import { calibrationOf } from '../domain/evaluate/summary.js';
import type { EvaluationRow, ScanImageRow } from '../domain/tables.js';
import { compareTagValues, TAG_NAMES, type Tags } from '../domain/tags.js';
import { tagWords } from '../domain/tagWords.js';
import { labelNames, type Taxonomy } from '../domain/taxonomy.js';
import type { ClassQuality, ReportData, SliceQuality, WorstImage } from './data.js';

/** The share of a tag value with fewer images tells nothing. */
const LEAST = 10;

interface Sums {
  intersection: number;
  given: number;
  predicted: number;
}

/** Whole-set sums by label value of a model's evaluation. */
export function sumConfusion(rows: readonly Pick<EvaluationRow, 'confusion'>[]): Map<number, Sums> {
  const sums = new Map<number, Sums>();
  const entry = (label: number): Sums => {
    const known = sums.get(label) ?? { intersection: 0, given: 0, predicted: 0 };
    sums.set(label, known);
    return known;
  };
  for (const { confusion } of rows) {
    for (const [given, predicted, pixels] of triples(confusion)) {
      entry(given).given += pixels;
      entry(predicted).predicted += pixels;
      if (given === predicted) entry(given).intersection += pixels;
    }
  }
  return sums;
}

/** Whole-set mIoU over the classes with ground truth, background left out; null without any. */
export function wholeSetMiou(rows: readonly Pick<EvaluationRow, 'confusion'>[]): number | null {
  const ious = [...sumConfusion(rows)].flatMap(([label, sums]) => (label === 0 ? [] : (iouOf(sums) ?? [])));
  return ious.length === 0 ? null : ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
}

/** One line per class, beside the benchmark if its evaluation is given. */
export function classTable(
  rows: readonly EvaluationRow[],
  benchmark: readonly EvaluationRow[] | null,
  taxonomy: Taxonomy,
): ClassQuality[] {
  const mine = sumConfusion(rows);
  const theirs = benchmark === null ? null : sumConfusion(benchmark);
  const calibration = calibrationOf(rows);
  const images = new Map<number, number>();
  for (const { confusion } of rows) {
    for (const label of new Set([...triples(confusion)].map(([given]) => given)))
      images.set(label, (images.get(label) ?? 0) + 1);
  }
  return taxonomy.classes.map(({ name, group }, index) => {
    const sums = mine.get(index + 1);
    return {
      name,
      group,
      images: images.get(index + 1) ?? 0,
      iou: iouOf(sums),
      recall: sums === undefined || sums.given === 0 ? null : sums.intersection / sums.given,
      benchmarkIou: iouOf(theirs?.get(index + 1)),
      calibration: calibration?.of(index + 1) ?? null,
    };
  });
}

/** mIoU by value of each tag; tags with fewer than two values say nothing and are left out. */
export function sliceTable(
  rows: readonly EvaluationRow[],
  benchmark: readonly EvaluationRow[] | null,
  previous: readonly EvaluationRow[] | null = null,
  judged: readonly SliceVerdict[] = [],
): SliceQuality[] {
  const both = previous === null ? null : onCommonImages(rows, previous);
  return TAG_NAMES.flatMap((tag) => {
    const values = [...new Set(rows.flatMap((row) => row[tag] ?? []))].sort(compareTagValues);
    if (values.length < 2) return [];
    return values.flatMap((value) => {
      const own = rows.filter((row) => row[tag] === value);
      const miou = wholeSetMiou(own);
      if (miou === null) return [];
      return {
        tag,
        value: String(value),
        images: own.length,
        miou,
        benchmarkMiou: benchmark === null ? null : wholeSetMiou(benchmark.filter((row) => row[tag] === value)),
        // The gate names the slice of a flag by the flag alone.
        bounds: value === true ? boundsOf(judged.find(({ name, units }) => name === tag && units > 0)) : null,
        change: both === null ? null : changeOn(both, (row) => row[tag] === value),
      };
    });
  });
}

const boundsOf = (verdict: SliceVerdict | undefined): SliceQuality['bounds'] =>
  verdict === undefined ? null : { lower: verdict.lower, upper: verdict.upper };

function changeOn(
  { candidate, benchmark: previous }: ReturnType<typeof onCommonImages>,
  keep: (row: EvaluationRow) => boolean,
): number | null {
  const [now, then] = [wholeSetMiou(candidate.filter(keep)), wholeSetMiou(previous.filter(keep))];
  return now === null || then === null ? null : now - then;
}

/** The test images on which the model is worst, with their largest confusion in words. */
export function worstImages(rows: readonly EvaluationRow[], taxonomy: Taxonomy, count: number): WorstImage[] {
  const names = labelNames(taxonomy);
  return rows
    .toSorted((a, b) => a.imageMiou - b.imageMiou || (a.imageId < b.imageId ? -1 : 1))
    .slice(0, count)
    .map((row) => ({
      fileName: row.fileName,
      tags: tagWords(telling(row)),
      miou: row.imageMiou,
      mistake: largestMistake(row.confusion, names),
    }));
}

/** Tags that say something of a test image: all are exterior, and few are black, reflective or zoomed. */
const telling = (row: Tags): Partial<Tags> =>
  Object.fromEntries(TAG_NAMES.flatMap((tag) => (row[tag] === false || tag === 'region' ? [] : [[tag, row[tag]]])));

/** The largest part of a label that was seen as something else, in words. */
export function largestMistake(confusion: readonly number[], names: readonly string[]): string {
  const given = new Map<number, number>();
  for (const [label, , pixels] of triples(confusion)) given.set(label, (given.get(label) ?? 0) + pixels);
  const [worst] = [...triples(confusion)]
    .filter(([label, predicted]) => label !== predicted && label !== 0)
    .sort((a, b) => b[2] - a[2]);
  if (worst === undefined) return 'parts seen where there are none';
  const [label, predicted, pixels] = worst;
  const seenAs = predicted === 0 ? 'missed' : `seen as ${names[predicted]}`;
  return `${names[label]} ${seenAs}, ${Math.round((100 * pixels) / (given.get(label) ?? pixels))} % of it`;
}

function iouOf(sums: Sums | undefined): number | null {
  return sums === undefined || sums.given === 0
    ? null
    : sums.intersection / (sums.given + sums.predicted - sums.intersection);
}

function* triples(flat: readonly number[]): Generator<[number, number, number]> {
  for (let at = 0; at + 2 < flat.length; at += 3)
    yield [flat[at] as number, flat[at + 1] as number, flat[at + 2] as number];
}

/**
 * The number of images that the scan suspects per tag value, the highest share first; values with fewer than `LEAST`
 * images are left out.
 */
export function suspicionByTag(
  scanned: readonly Pick<ScanImageRow, 'imageId' | 'pMislabelled' | 'quarantined' | 'error'>[],
  byId: ReadonlyMap<string, Tags>,
  threshold: number,
): ReportData['detection']['slices'] {
  const slices = new Map<string, ReportData['detection']['slices'][number]>();
  for (const { imageId, pMislabelled, quarantined, error } of scanned) {
    const row = byId.get(imageId);
    if (row === undefined || error !== null) continue;
    for (const tag of TAG_NAMES) {
      if (row[tag] === null) continue;
      const value = String(row[tag]);
      const slice = slices.get(`${tag}=${value}`) ?? { tag, value, images: 0, overThreshold: 0, quarantined: 0 };
      slice.images++;
      if (pMislabelled >= threshold) slice.overThreshold++;
      if (quarantined) slice.quarantined++;
      slices.set(`${tag}=${value}`, slice);
    }
  }
  return [...slices.values()]
    .filter(({ images }) => images >= LEAST)
    .sort((a, b) => b.overThreshold / b.images - a.overThreshold / a.images || b.images - a.images);
}
