import { PartloopError } from '../../domain/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { openPool } from '../../storage/pool.js';
import { readReviews, withdrawReview } from '../../storage/reviews.js';
import { isMadeBy, type ReviewImportSummary, reviewImports } from './reviewImports.js';
import { type Revision, reviseLabels } from './revisions.js';

export interface UndoRequest {
  pool: string;
  /** A review import; the newest that stands where it is left out. */
  review?: string;
  now: Date;
}

export interface UndoReport {
  pool: string;
  review: ReviewImportSummary;
  /** The pool's version afterwards. */
  version: number;
  /** Labels that are again what they were. */
  restored: number;
  /** Images that it revised and whose label is another one by now: they stay as they are. */
  leftAlone: { imageId: string; fileName: string; reason: string }[];
}

/**
 * Take an import of reviews back: labels that it revised go back to what they were before it, as new revisions, and its answers
 * count no longer. Nothing is deleted, and the same file can be imported again.
 *
 * @throws PartloopError `not-found` for an import that is not there, `input-invalid` for one that was undone
 */
export async function undoReview(store: ObjectStore, request: UndoRequest): Promise<UndoReport> {
  const { now } = request;
  const pool = await openPool(store, request.pool);
  const history = await pool.history();
  const imports = reviewImports(await readReviews(store, pool.name), history);
  const review = chooseReview(imports, request);
  const withdrawn = imports.filter(({ undoneAt }) => undoneAt !== null).map(({ id }) => id);
  const images = new Set([...history.rows()].flatMap((row) => (isMadeBy(row, review.id) ? [row.imageId] : [])));
  const jobs = [...images].map((imageId) => ({ imageId }));
  const leftAlone = new Map<string, UndoReport['leftAlone'][number]>();
  const maker = { change: 'undo' as const, changeId: review.id, now };
  const { version, revised } = await reviseLabels(pool, jobs, maker, async ({ imageId }, rows) => {
    leftAlone.delete(imageId);
    let outcome = before(rows, review.id, withdrawn);
    if (typeof outcome === 'object') {
      if ((await store.head(outcome.label.labelUri)) !== null) return outcome;
      outcome = 'its earlier label is gone from the store';
    }
    if (outcome !== 'undone')
      leftAlone.set(imageId, { imageId, fileName: rows.at(-1)?.fileName ?? '', reason: outcome });
    return null;
  });
  if (review.undoneAt === null) await withdrawReview(store, pool.name, review.id, now);
  else if (revised === 0)
    throw new PartloopError('input-invalid', `review import ${review.id} was undone already, at ${review.undoneAt}`, {
      hint: 'Import its file again to apply it again.',
    });
  return { pool: pool.name, review, version, restored: revised, leftAlone: [...leftAlone.values()] };
}

/**
 * The label of before a review, or why it is not put back; `undone` where an undo that died did so. Labels of reviews that were
 * undone since are passed over: they were left alone only because this one lay on top of them.
 */
function before(rows: readonly IndexRow[], review: string, withdrawn: readonly string[]): Revision | string {
  const row = rows.at(-1);
  const at = rows.findIndex((one) => isMadeBy(one, review));
  const gone = new Set(
    rows.filter((one) => withdrawn.some((id) => isMadeBy(one, id))).map(({ labelSha256 }) => labelSha256),
  );
  const [made, earlier] = [rows[at], rows.slice(0, Math.max(0, at)).findLast((one) => !gone.has(one.labelSha256))];
  if (row === undefined || made === undefined || earlier === undefined || row.removedAt !== null)
    return 'the pool no longer lists it';
  if (row.change === 'undo' && row.changeId === review) return 'undone';
  if (row.labelSha256 !== made.labelSha256) return 'its label was changed again since';
  const { imageId, labelSha256: on } = row;
  const { labelUri, labelSha256, classes } = earlier;
  return { imageId, on, label: { labelUri, labelSha256, classes } };
}

function chooseReview(imports: readonly ReviewImportSummary[], { pool, review }: UndoRequest): ReviewImportSummary {
  const hint = `\`partloop review list ${pool}\` shows all of them.`;
  const wanted = review?.toUpperCase();
  const found =
    wanted === undefined ? imports.find(({ undoneAt }) => undoneAt === null) : imports.find(({ id }) => id === wanted);
  if (found === undefined) {
    if (wanted !== undefined)
      throw new PartloopError('not-found', `pool ${pool} has no review import ${review}`, { hint });
    const reason = imports.length === 0 ? 'there is none' : 'all of them were undone';
    throw new PartloopError('not-found', `pool ${pool} has no review import to undo: ${reason}`, { hint });
  }
  // One that was undone may have left images alone whose label can be put back by now.
  return found;
}
