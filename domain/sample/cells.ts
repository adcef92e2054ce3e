import { parseText } from '../base/jsonText.js';
import { NO_TAGS, TAG_NAMES, type TagName, type Tags, tagsSchema } from '../tags.js';
import { tagWords } from '../tagWords.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';
import type { JudgedRow } from './columns.js';

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
export interface CellImage {
  tags: Tags;
  classes: readonly number[];
  predictedClasses: readonly number[] | null;
}

/**
 * The cells of an image, of the images that a function was made for. If a pool has no tags at all, margins over the
 * present parts and over the predicted view replace them. Images that are alike share their cells.
 */
export function cellsBy(images: Iterable<CellImage>, taxonomy: Taxonomy): (image: CellImage) => readonly Cell[] {
  if (isTagged(images)) {
    const known = new Map<string, readonly Cell[]>();
    const cells = new Map<string, Cell>();
    return ({ tags }) => kept(known, SAMPLED_TAGS.map((tag) => tags[tag]).join(), () => tagCells(tags, cells));
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
  for (const { tags } of images) if (SAMPLED_TAGS.some((tag) => tags[tag] !== null)) return true;
  return false;
}

function kept<T>(known: Map<string, T>, key: string, make: (key: string) => T): T {
  const there = known.get(key);
  if (there !== undefined) return there;
  const made = make(key);
  known.set(key, made);
  return made;
}

/** Tags of an image; unknown ones come from the scan's inference from the prediction, never from the label. */
export const knownTags = (row: Tags, scan: Pick<JudgedRow, 'inferredTags'> | undefined): Tags =>
  scan === undefined ? row : withInferred(row, inferredOf(scan.inferredTags));

/** The same for many images: what is inferred is often the same, and parsed once. */
export function knownTagsReader(): typeof knownTags {
  const known = new Map<string, Tags>();
  return (row, scan) =>
    scan === undefined
      ? row
      : withInferred(
          row,
          kept(known, scan.inferredTags, () => inferredOf(scan.inferredTags)),
        );
}

function inferredOf(text: string): Tags {
  return tagsSchema.safeParse(parseText(text, 'column inferredTags of a scanned image')).data ?? NO_TAGS;
}

const withInferred = (row: Tags, inferred: Tags): Tags => ({
  angle: row.angle ?? inferred.angle,
  vehicle: row.vehicle ?? inferred.vehicle,
  damage: row.damage ?? inferred.damage,
  black: row.black ?? inferred.black,
  reflection: row.reflection ?? inferred.reflection,
  zoomed: row.zoomed ?? inferred.zoomed,
  orientation: row.orientation ?? inferred.orientation,
  region: row.region ?? inferred.region,
});

/** @param known cells by key: each is made once */
function tagCells(tags: Tags, known: Map<string, Cell>): Cell[] {
  const named = SAMPLED_TAGS.filter((tag) => tags[tag] !== null);
  const margins = named.map((tag) =>
    kept(known, `${tag}=${tags[tag]}`, (key) => ({
      ...{ dimension: tag, key, words: tagWords({ [tag]: tags[tag] }), parents: [] },
    })),
  );
  const pairs = margins.flatMap((a, index) =>
    margins.slice(index + 1).map((b, next) =>
      kept(known, `${a.key}, ${b.key}`, (key) => {
        const [one, other] = [named[index] as TagName, named[index + 1 + next] as TagName];
        const words = tagWords({ [one]: tags[one], [other]: tags[other] });
        return { dimension: `${one} × ${other}`, key, words, parents: [a.key, b.key] };
      }),
    ),
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
