import { parseText } from '../base/jsonText.js';
import type { ChunkRow, ScanImageRow } from '../tables.js';
import { NO_TAGS, TAG_NAMES, type TagName, type Tags, tagsSchema } from '../tags.js';
import { tagWords } from '../tagWords.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';

/** Tags that describe difficulties of a model; region is constant, since interior pictures are never drawn. */
const SAMPLED_TAGS: readonly TagName[] = TAG_NAMES.filter((tag) => tag !== 'region');
/** Largest number of classes in a predicted view. */
const VIEW_CLASSES = 6;

/**
 * A group of images that share one value: `dimension` is its property (`angle`, `angle × vehicle`, `part`), `key` its
 * name in computations, `words` the one for people. Margins and pairs only: the full product of the tags has 7,488
 * cells, more than most chunks have images.
 */
export interface Cell {
  dimension: string;
  key: string;
  words: string;
  /** Keys of the two margins of a pair; empty for a margin. */
  parents: readonly string[];
}

/** The part of an image that cells depend on. */
export type CellImage = Tags & Pick<ChunkRow, 'classes'> & { predictedClasses: readonly number[] | null };

/**
 * The cells of an image, of the images that a function was made for. If a pool has no tags at all, margins over the
 * present parts and over the predicted view replace them. Images that are alike share their cells.
 */
export function cellsBy(images: Iterable<CellImage>, taxonomy: Taxonomy): (image: CellImage) => readonly Cell[] {
  if (isTagged(images)) {
    const known = new Map<string, readonly Cell[]>();
    return (image) => kept(known, JSON.stringify(SAMPLED_TAGS.map((tag) => image[tag])), () => tagCells(image));
  }
  const names = labelNames(taxonomy);
  const parts = names.map((name): Cell => ({ dimension: 'part', key: `part=${name}`, words: name, parents: [] }));
  const viewOf = predictedViews(images, taxonomy);
  const known = new Map<string, readonly Cell[]>();
  return (image) => {
    const view = viewOf(image);
    return kept(known, `${view?.key} ${image.classes}`, () => [
      ...image.classes.flatMap((label) => (label === 0 ? [] : (parts[label] ?? []))),
      ...(view === null ? [] : [view]),
    ]);
  };
}

function isTagged(images: Iterable<CellImage>): boolean {
  for (const image of images) if (SAMPLED_TAGS.some((tag) => image[tag] !== null)) return true;
  return false;
}

function kept<T>(known: Map<string, T>, key: string, make: () => T): T {
  const there = known.get(key);
  if (there !== undefined) return there;
  const made = make();
  known.set(key, made);
  return made;
}

/** Tags of an image; unknown ones come from the scan's inference from the prediction, never from the label. */
export function knownTags(row: Tags, scan: Pick<ScanImageRow, 'inferredTags'> | undefined): Tags {
  const parsed =
    scan === undefined
      ? undefined
      : tagsSchema.safeParse(parseText(scan.inferredTags, 'column inferredTags of a scanned image'));
  const inferred = parsed?.data ?? NO_TAGS;
  return {
    angle: row.angle ?? inferred.angle,
    vehicle: row.vehicle ?? inferred.vehicle,
    damage: row.damage ?? inferred.damage,
    black: row.black ?? inferred.black,
    reflection: row.reflection ?? inferred.reflection,
    zoomed: row.zoomed ?? inferred.zoomed,
    orientation: row.orientation ?? inferred.orientation,
    region: row.region ?? inferred.region,
  };
}

function tagCells(image: CellImage): Cell[] {
  const margins = SAMPLED_TAGS.flatMap((tag) =>
    image[tag] === null
      ? []
      : [{ dimension: tag, key: `${tag}=${image[tag]}`, words: tagWords({ [tag]: image[tag] }), parents: [] }],
  );
  const pairs = margins.flatMap((a, index) =>
    margins.slice(index + 1).map((b) => ({
      dimension: `${a.dimension} × ${b.dimension}`,
      key: `${a.key}, ${b.key}`,
      words: tagWords({ [a.dimension]: image[a.dimension], [b.dimension]: image[b.dimension] }),
      parents: [a.key, b.key],
    })),
  );
  return [...margins, ...pairs];
}

/**
 * The view as the model sees it: the predicted ones among the classes that split the images most evenly; null without
 * one.
 */
function predictedViews(images: Iterable<CellImage>, taxonomy: Taxonomy): (image: CellImage) => Cell | null {
  const names = labelNames(taxonomy);
  const seenIn = new Map<number, number>();
  let judged = 0;
  for (const { predictedClasses } of images) {
    if (predictedClasses === null) continue;
    judged++;
    for (const label of new Set(predictedClasses)) seenIn.set(label, (seenIn.get(label) ?? 0) + 1);
  }
  const telling = names
    .map((name, label) => ({ name, label, share: (seenIn.get(label) ?? 0) / Math.max(1, judged) }))
    .filter(({ label, share }) => label > 0 && share >= 0.1 && share <= 0.9)
    .sort((a, b) => Math.abs(a.share - 0.5) - Math.abs(b.share - 0.5) || a.label - b.label)
    .slice(0, VIEW_CLASSES)
    .sort((a, b) => a.label - b.label);
  return ({ predictedClasses }) => {
    if (predictedClasses === null || telling.length === 0) return null;
    const seen = telling.filter(({ label }) => predictedClasses.includes(label)).map(({ name }) => name);
    const words = seen.length > 0 ? `view of ${seen.join(' and ')}` : 'another view';
    return { dimension: 'view', key: `view=${seen.join('+') || 'other'}`, words, parents: [] };
  };
}
