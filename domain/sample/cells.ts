import { parseText } from '../base/jsonText.js';
import type { ChunkRow, ScanImageRow } from '../tables.js';
import { NO_TAGS, TAG_NAMES, type TagName, type Tags, tagsSchema } from '../tags.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';

/** Tags that describe difficulties of a model; region is constant, since interior pictures are never drawn. */
const SAMPLED_TAGS: readonly TagName[] = TAG_NAMES.filter((tag) => tag !== 'region');
/** Largest number of classes in a predicted view. */
const VIEW_CLASSES = 6;

/**
 * A group of images that share one value: `dimension` is its property (`angle`, `angle × vehicle`, `part`), `key` the
 * value in words. Margins and pairs only: the full product of the tags has 7,488 cells, more than most chunks have
 * images.
 */
export interface Cell {
  dimension: string;
  key: string;
  /** Keys of the two margins of a pair; empty for a margin. */
  parents: readonly string[];
}

/** The part of an image that cells depend on. */
export type CellImage = Tags & Pick<ChunkRow, 'classes'> & { predictedClasses: readonly number[] | null };

/**
 * The cells of every image, in the order given. If a pool has no tags at all, margins over the present parts and over
 * the predicted view replace them.
 */
export function cellsOf(images: readonly CellImage[], taxonomy: Taxonomy): Cell[][] {
  const tagged = images.some((image) => SAMPLED_TAGS.some((tag) => image[tag] !== null));
  if (tagged) return images.map(tagCells);
  const viewOf = predictedViews(images, taxonomy);
  const names = labelNames(taxonomy);
  return images.map((image) => [
    ...image.classes.flatMap((label) => {
      const name = names[label];
      return label === 0 || name === undefined ? [] : [{ dimension: 'part', key: `part=${name}`, parents: [] }];
    }),
    ...viewOf(image),
  ]);
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
    image[tag] === null ? [] : [{ dimension: tag, key: `${tag}=${image[tag]}`, parents: [] }],
  );
  const pairs = margins.flatMap((a, index) =>
    margins.slice(index + 1).map((b) => ({
      dimension: `${a.dimension} × ${b.dimension}`,
      key: `${a.key}, ${b.key}`,
      parents: [a.key, b.key],
    })),
  );
  return [...margins, ...pairs];
}

/** The view as the model sees it: the predicted ones among the classes that split the images most evenly. */
function predictedViews(images: readonly CellImage[], taxonomy: Taxonomy): (image: CellImage) => Cell[] {
  const names = labelNames(taxonomy);
  const judged = images.filter((image) => image.predictedClasses !== null);
  const telling = names
    .map((name, label) => ({
      name,
      label,
      share: judged.filter((image) => image.predictedClasses?.includes(label)).length / Math.max(1, judged.length),
    }))
    .filter(({ label, share }) => label > 0 && share >= 0.1 && share <= 0.9)
    .sort((a, b) => Math.abs(a.share - 0.5) - Math.abs(b.share - 0.5) || a.label - b.label)
    .slice(0, VIEW_CLASSES)
    .sort((a, b) => a.label - b.label);
  return (image) => {
    if (image.predictedClasses === null || telling.length === 0) return [];
    const seen = telling.filter(({ label }) => image.predictedClasses?.includes(label)).map(({ name }) => name);
    return [{ dimension: 'view', key: `view=${seen.join('+') || 'other'}`, parents: [] }];
  };
}
