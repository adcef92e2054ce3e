import { PartloopError } from '../../domain/base/errors.js';
import { type IsWithdrawn, isMadeBy, isUndoOf, settersOf } from '../../domain/review/labelHistory.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readReviews, withdrawnIn, withdrawReviews } from '../../storage/reviews.js';
import { repeatsOf } from './repeats.js';
import { type ReviewImportSummary, reviewImports } from './reviewImports.js';
import { type Revision, reviseLabels } from './revisions.js';

export interface UndoRequest {
  pool: string;
  /** A review import; if omitted, the newest standing one that brought something of its own. */
  review?: string;
  now: Date;
}

export interface UndoReport {
  pool: string;
  review: ReviewImportSummary;
  /** Imports with the same answers at the same moment, which changed nothing: their answers are withdrawn with it. */
  repeats: string[];
  /** The pool's version afterwards. */
  version: number;
  /** Labels that have their earlier state again. */
  restored: number;
  /** Images that it revised but whose label has changed since: they stay as they are. */
  leftAlone: { imageId: string; fileName: string; reason: string }[];
}

/**
 * Undo an import of reviews: labels that it revised return to their earlier state, as new revisions, and its answers no
 * longer count. Nothing is deleted, and the same file can be imported again.
 *
 * @throws PartloopError `not-found` for an unknown import, `input-invalid` for one that is already undone
 */
export async function undoReview(store: ObjectStore, request: UndoRequest): Promise<UndoReport> {
  const { now } = request;
  const pool = await openPool(store, request.pool);
  const history = await pool.history();
  const reviews = await readReviews(store, pool.name);
  const review = chooseReview(reviewImports(reviews, history), request);
  const isWithdrawn = withdrawnIn(reviews);
  const images = new Set([...history.rows()].flatMap((row) => (isMadeBy(row, review.id) ? [row.imageId] : [])));
  const jobs = [...images].map((imageId) => ({ imageId }));
  const outcomes = new Map<string, Outcome>();
  const maker = { change: 'undo' as const, changeId: review.id, now };
  const { version } = await reviseLabels(store, pool, jobs, maker, async ({ imageId }, rows) => {
    let outcome = before(rows, review.id, isWithdrawn);
    if (outcome.kind === 'restored' && (await store.head(outcome.revision.label.labelUri)) === null)
      outcome = leave(rows, review.id, 'its earlier label is gone from the store');
    outcomes.set(imageId, outcome);
    return outcome.revision;
  });
  const restored = [...outcomes.values()].filter(({ kind }) => kind === 'restored').length;
  const leftAlone = [...outcomes.values()].flatMap((outcome) => (outcome.kind === 'left' ? [outcome.image] : []));
  const repeats = review.undoneAt === null ? repeatsOf(reviews, review.id, history) : [];
  if (review.undoneAt === null) await withdrawReviews(store, pool.name, [review.id, ...repeats], now);
  else if (restored === 0)
    throw new PartloopError('input-invalid', `review import ${review.id} was undone already, at ${review.undoneAt}`, {
      hint: 'Import its file again to apply it again.',
    });
  return { pool: pool.name, review, repeats, version, restored, leftAlone };
}

/** The effect of undoing a review on an image. */
type Outcome =
  | { kind: 'restored'; revision: Revision }
  | { kind: 'left'; revision: Revision | null; image: UndoReport['leftAlone'][number] }
  /** An interrupted undo already did it. */
  | { kind: 'undone'; revision: null };

/**
 * The label of the newest answer that stands without the review, or the reason why the image keeps its label. The
 * source of a label decides, not its content: a review may have restored an import's label. Reviews that were undone
 * since are skipped: their labels were left alone only because this one came after them.
 */
function before(rows: readonly IndexRow[], review: string, isWithdrawn: IsWithdrawn): Outcome {
  const row = rows.at(-1);
  if (row === undefined || row.removedAt !== null) return leave(rows, review, 'the pool no longer lists it');
  const setters = settersOf(rows, rows.length - 1, isWithdrawn);
  const stays = setters.find((setter) => !setter.isWithdrawn && !isMadeBy(setter.row, review))?.row;
  if (stays !== undefined && stays === setters[0]?.row) {
    if (rows.some((one) => isUndoOf(one, review))) return { kind: 'undone', revision: null };
    return leave(rows, review, 'its label was changed again since');
  }
  if (stays === undefined) return leave(rows, review, 'nothing is known of its label before');
  return { kind: 'restored', revision: revisionOf(row, stays) };
}

/**
 * The image keeps its label. If it is in the pool, a row records that the review is undone, for a later undo of the
 * reviews after it.
 */
function leave(rows: readonly IndexRow[], review: string, reason: string): Outcome {
  const row = rows.at(-1);
  const isSaid = row === undefined || row.removedAt !== null || rows.some((one) => isUndoOf(one, review));
  const { imageId = '', fileName = '' } = row ?? {};
  return { kind: 'left', revision: isSaid ? null : revisionOf(row, row), image: { imageId, fileName, reason } };
}

const revisionOf = (
  { imageId, labelSha256: on }: IndexRow,
  { labelUri, labelSha256, classes }: IndexRow,
): Revision => ({ imageId, on, label: { labelUri, labelSha256, classes } });

function chooseReview(imports: readonly ReviewImportSummary[], { pool, review }: UndoRequest): ReviewImportSummary {
  const hint = `\`partloop review list ${pool}\` shows all of them.`;
  if (review !== undefined) {
    const found = imports.find(({ id }) => id === review.toUpperCase());
    if (found === undefined)
      throw new PartloopError('not-found', `pool ${pool} has no review import ${review}`, { hint });
    if (found.isRepeat)
      throw new PartloopError(
        'input-invalid',
        `review import ${found.id} brought nothing of its own: its labels and answers were in the pool already`,
        { hint: `Undo the import that brought them; ${hint}` },
      );
    // An undone review may have left images alone whose label can be restored by now.
    return found;
  }
  const standing = imports.filter(({ undoneAt }) => undoneAt === null);
  const newest = standing.find(({ isRepeat }) => !isRepeat);
  if (newest !== undefined) return newest;
  const all = standing.length === 0 ? 'all of them were undone' : 'the others brought nothing of their own';
  const reason = imports.length === 0 ? 'there is none' : all;
  throw new PartloopError('not-found', `pool ${pool} has no review import to undo: ${reason}`, { hint });
}
