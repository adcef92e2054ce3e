import { z } from 'zod';
import { parseText } from '../base/jsonText.js';
import type { TrainingRow } from '../tables.js';
import { TAG_NAMES, type TagName, type Tags } from '../tags.js';
import { knownTags } from './cells.js';
import type { JudgedRow } from './columns.js';

const originsSchema = z.record(z.string(), z.unknown()).catch({});
const originsOf = ({ tagOrigins }: Pick<TrainingRow, 'tagOrigins'>) =>
  originsSchema.parse(parseText(tagOrigins, 'column tagOrigins of a training set'));

const INFERRED = 'inferred';

/** The tags of a row that a scan inferred; the others were given. */
export function inferredIn(row: Pick<TrainingRow, 'tagOrigins'>): readonly TagName[] {
  if (!row.tagOrigins.includes(INFERRED)) return [];
  const origins = originsOf(row);
  return TAG_NAMES.filter((tag) => origins[tag] === INFERRED);
}

/** Whether a scan infers tags that an image lacks. */
export function hasInferredTags(image: Tags, scan: Pick<JudgedRow, 'inferredTags'> | undefined): boolean {
  const known = knownTags(image, scan);
  return TAG_NAMES.some((tag) => image[tag] !== known[tag]);
}

/** A row with tags of a scan where it lacks them. They are marked as inferred: whoever reads them can tell. */
export const withInferredTags = (row: TrainingRow, scan: Pick<JudgedRow, 'inferredTags'> | undefined): TrainingRow =>
  filled(row, knownTags(row, scan), () => true);

/** A newer row of the pool with the tags that were inferred for the image when it was picked, where it lacks them. */
export function withEarlierInferred(row: TrainingRow, earlier: TrainingRow): TrainingRow {
  const inferred = inferredIn(earlier);
  return filled(row, earlier, (tag) => inferred.includes(tag));
}

function filled(row: TrainingRow, tags: Tags, isMeant: (tag: TagName) => boolean): TrainingRow {
  const names = TAG_NAMES.filter((tag) => row[tag] === null && tags[tag] !== null && isMeant(tag));
  if (names.length === 0) return row;
  const own = Object.fromEntries(names.map((tag) => [tag, tags[tag]]));
  const origins = Object.fromEntries(names.map((tag) => [tag, INFERRED]));
  return { ...row, ...own, tagOrigins: JSON.stringify({ ...originsOf(row), ...origins }) };
}
