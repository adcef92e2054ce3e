import { z } from 'zod';
import { parseText } from '../../domain/base/jsonText.js';
import type { Thumbnail } from '../../domain/draw/samePicture.js';
import { isByPerson, setterOf } from '../../domain/review/labelHistory.js';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';
import { TAG_NAMES, type Tags, tagsSchema } from '../../domain/tags.js';
import type { ImageFacts } from '../../formats/reading/importItem.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import type { LabelFields } from '../label.js';

/** One image of an import: its row as if the pool had never seen it, its explicitly given facts, and its look. */
export interface Candidate {
  row: IndexRow;
  facts: ImageFacts;
  thumbnail: Thumbnail;
}

export interface DecideOptions {
  /** The import as a whole is test data. */
  test: boolean;
  /** The import's facts count, even if they were given before and changed since. */
  relabel: boolean;
  /** Images that were removed come back. */
  restore: boolean;
  /** Names the import in its rows, so that one that is run again counts what it brought before as its own. */
  importId?: string | null;
}

/** The effect of an import on one image. */
export type Decision = Taken | { outcome: 'removed'; row: null } | { outcome: 'refused'; row: null; reason: string };

interface Taken {
  outcome: 'added' | 'replaced' | 'updated' | 'restored' | 'known';
  /** The new row of the pool's index; null for nothing new. */
  row: IndexRow | null;
  /** The reason why a label was not taken. */
  kept: string | null;
  /** It becomes test data now: earlier models may have seen it. */
  movedToTest: boolean;
  /** The label in the pool afterwards has no class at all. */
  unlabelled: boolean;
}

const COLUMNS = indexRowSchema.keyof().options;

/**
 * Everything ever imported into the pool is known: only new facts change anything, so a repeated import, in any order,
 * undoes nothing. A label that a reviewer corrected stays unless `relabel` asks for a change.
 */
export function decide(
  history: PoolHistory,
  candidate: Omit<Candidate, 'thumbnail'>,
  options: DecideOptions,
): Decision {
  const { row, facts } = candidate;
  const latest = history.latest(row.imageId);
  if (latest === undefined) return taken('added', row, row);
  if (latest.removedAt !== null && !options.restore) return { outcome: 'removed', row: null };
  const earlier = history.revisions(row.imageId);

  const split = splitOf(latest, earlier, facts, options);
  if (split.refused !== null) return { outcome: 'refused', row: null, reason: split.refused };
  const label = labelOf(latest, earlier, row, facts, options);
  if (label.refused !== null) return { outcome: 'refused', row: null, reason: label.refused };
  const known: IndexRow = {
    ...latest,
    ...factsOf(latest, earlier, candidate, options),
    ...placeOf(latest, earlier, row),
    split: split.value,
  };
  const isRestored = latest.removedAt !== null;
  const isUpdated = COLUMNS.some((name) => known[name] !== latest[name]);
  const before = ownOutcome(earlier, options.importId ?? null);
  if (!isRestored && label.taken === null && !isUpdated)
    return { ...taken(before ?? 'known', latest, latest), row: null, kept: label.kept };
  const outcome = before ?? (isRestored ? 'restored' : label.taken !== null ? 'replaced' : 'updated');
  const next: IndexRow = {
    ...known,
    ...label.taken,
    labelRevision: latest.labelRevision + 1,
    ingestedAt: row.ingestedAt,
    change: isRestored ? 'restore' : label.taken !== null ? 'relabel' : 'facts',
    changeId: options.importId ?? null,
    removedAt: null,
  };
  return { ...taken(outcome, latest, next), kept: label.kept };
}

const OUTCOME_OF: Partial<Record<NonNullable<IndexRow['change']>, Taken['outcome']>> = {
  ...{ import: 'added', restore: 'restored', relabel: 'replaced', facts: 'updated' },
};

/** What this import did to the image when it was run before; null if it did nothing. */
function ownOutcome(earlier: readonly IndexRow[], importId: string | null): Taken['outcome'] | null {
  if (importId === null) return null;
  const change = earlier.find(({ changeId }) => changeId === importId)?.change ?? null;
  return change === null ? null : (OUTCOME_OF[change] ?? null);
}

const taken = (outcome: Taken['outcome'], before: IndexRow, row: IndexRow): Taken => ({
  ...{ outcome, row, kept: null },
  movedToTest: row.split === 'test' && before.split !== 'test',
  unlabelled: row.classes.length === 0,
});

function labelOf(
  latest: IndexRow,
  earlier: readonly IndexRow[],
  row: IndexRow,
  facts: ImageFacts,
  { test, relabel }: DecideOptions,
): { taken: LabelFields | null; kept: string | null; refused: string | null } {
  const { labelUri, labelSha256, classes } = row;
  const taken: LabelFields = { labelUri, labelSha256, classes };
  const nothing = { taken: null, kept: null, refused: null };
  if (isPurged(latest)) return { ...nothing, taken };
  if (latest.labelSha256 === labelSha256) return nothing;
  if (latest.split === 'test' && !test && facts.split !== 'test')
    return { ...nothing, refused: `the same picture is in the pool's test split as ${latest.fileName}` };
  if (relabel) return { ...nothing, taken };
  if (earlier.some((one) => one.labelSha256 === labelSha256)) return nothing;
  if (isReviewed(earlier))
    return { ...nothing, kept: 'a reviewer corrected its label: --relabel takes the one of this import instead' };
  return { ...nothing, taken };
}

/** `changeId` of a removal that deleted the bytes as well. */
export const PURGED = 'purge';

/** Whether the bytes of a removed image were deleted too, or will be. */
export const isPurged = ({ removedAt, change, changeId }: IndexRow): boolean =>
  removedAt !== null && change === 'removal' && changeId === PURGED;

/** Whether the label comes from a review that still counts. */
function isReviewed(rows: readonly IndexRow[]): boolean {
  const { row, isWithdrawn } = setterOf(rows, rows.length - 1);
  return isByPerson(row) && !isWithdrawn;
}

function splitOf(
  latest: IndexRow,
  earlier: readonly IndexRow[],
  { split }: ImageFacts,
  { test, relabel }: DecideOptions,
): { value: IndexRow['split']; refused: string | null } {
  const stays = { value: latest.split, refused: null };
  const asked = split ?? (test ? 'test' : null);
  if (asked === null || asked === latest.split) return stays;
  if (earlier.some((one) => one.split === asked) && !relabel) return stays;
  const there = `the same picture is in the pool's ${latest.split} split as ${latest.fileName}`;
  if (latest.split === 'test')
    return { ...stays, refused: `${there}: test data cannot become training data unless it is removed first` };
  // A picture of the training data in a test file is more often a mistake than intended.
  if (asked === 'test' && split === null)
    return { ...stays, refused: `${there}: give its own entry \`split: test\` to move it` };
  return { value: asked, refused: null };
}

/** Tags, vehicle and source after the import; a value that was given before and changed since does not come back. */
function factsOf(
  latest: IndexRow,
  earlier: readonly IndexRow[],
  { facts }: Pick<Candidate, 'facts'>,
  { relabel }: DecideOptions,
): Tags & Pick<IndexRow, 'vehicleId' | 'source' | 'tagOrigins'> {
  const isNew = (name: keyof IndexRow, value: unknown): boolean =>
    value !== null && value !== undefined && (relabel || !earlier.some((one) => one[name] === value));
  const names = TAG_NAMES.filter((name) => isNew(name, facts.tags[name]));
  const given = Object.fromEntries(names.map((name) => [name, facts.tags[name]]));
  const isOriginKept = names.every((name) => latest[name] === facts.tags[name]);
  return {
    ...tagsSchema.parse({ ...latest, ...given }),
    tagOrigins: isOriginKept ? latest.tagOrigins : withGiven(latest.tagOrigins, names),
    vehicleId: isNew('vehicleId', facts.vehicleId) ? facts.vehicleId : latest.vehicleId,
    source: isNew('source', facts.source) ? (facts.source ?? latest.source) : latest.source,
  };
}

const originsSchema = z.record(z.string(), z.unknown()).catch({});

/** JSON of tag -> given | inferred, with `names` given. */
export function withGiven(origins: string, names: readonly string[]): string {
  const before = originsSchema.parse(parseText(origins, 'column tagOrigins of an index row'));
  return JSON.stringify({ ...before, ...Object.fromEntries(names.map((name) => [name, 'given'])) });
}

/** An image that stays in its bucket may have been moved, or written again with the same bytes. */
function placeOf(
  latest: IndexRow,
  earlier: readonly IndexRow[],
  row: IndexRow,
): Pick<IndexRow, 'imageUri' | 'imageEtag' | 'imageVersion'> {
  const wasSaid = earlier.some((one) => one.imageUri === row.imageUri && one.imageEtag === row.imageEtag);
  const isRegistered = row.imageEtag !== null && latest.imageEtag !== null;
  // If the bytes were deleted, they are now at this import's place.
  const isElsewhere = (isRegistered && !wasSaid) || isPurged(latest);
  const { imageUri, imageEtag, imageVersion } = isElsewhere ? row : latest;
  return { imageUri, imageEtag, imageVersion };
}
