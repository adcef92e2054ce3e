import { PartloopError } from '../../domain/base/errors.js';
import { idsAt, rowsWhere, splitAt } from '../../domain/draw/drawColumns.js';
import { evaluateStep } from '../../domain/evaluate/step.js';
import { summariseEvaluation } from '../../domain/evaluate/summary.js';
import type { LeftOut } from '../../domain/images/leftOut.js';
import type { EvaluationRow, IndexRow } from '../../domain/tables.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { refuseManyLeftOut } from '../../steps/manyLeftOut.js';
import { poolOf } from '../../steps/pool.js';
import { digestOf } from '../../storage/digest.js';
import { findEvaluation, keepEvaluation } from '../../storage/evaluations.js';
import { keys } from '../../storage/keys.js';
import { type EvaluateRequest, judgeTestImages } from './testImages.js';

/** A model on the test images of a pool version. */
export interface Evaluation {
  /** Keys of the table of images, and of the summary. */
  images: string;
  summary: string;
  /** Digest of all test images and their labels, including those that could not be judged. */
  testVersion: string;
  /** Test images that are not in the table. */
  leftOut: LeftOut[];
}

const WORD_OF = { train: 'training', val: 'validation', test: 'test' } as const;

/**
 * Score a model on the test images of a pool version, or on another side of its split. Kept under (model, test version,
 * grid), so that a benchmark is scored once per test version, unless `again` asks for a repetition; an unreadable score
 * is made again. Images that are gone, changed or unreadable are left out: such a score is kept beside the complete
 * one, under the list of missing images. When the images are back, only they are judged.
 *
 * The grid is the label at longest side `size`, nearest neighbour, without padding.
 *
 * @throws PartloopError `data-invalid` if more are bad than the configuration allows
 */
export async function evaluateModel(deps: ActivityDeps, request: EvaluateRequest): Promise<Evaluation> {
  const { store } = deps;
  const pool = await poolOf(deps, request.pool);
  const index = await pool.readDrawColumns(request.poolVersion);
  const { split = 'test' } = request;
  const rows = rowsWhere(index, (row) => splitAt(index, row) === split && index.interior[row] === 0);
  const test = await pool.readImages(request.poolVersion, idsAt(index, rows));
  if (test.length === 0) throw noImages(request.pool, split);
  const testVersion = digestOf(test.map((row) => `${row.imageId} ${row.labelSha256}`));
  const place = keys.evaluation(request.modelDigest, testVersion, request.size, evaluateStep.version);
  const found = request.again
    ? null
    : await findEvaluation(store, place, (error) =>
        deps.log.warn({ error: error.message }, 'a stored evaluation cannot be read: the test images are judged again'),
      );
  const known = found?.rows ?? [];
  const earlier = found === null ? null : { images: found.images, summary: found.summary, leftOut: found.leftOut };
  if (earlier !== null && earlier.leftOut.length === 0) return { ...earlier, testVersion };

  // A missing image may come back; an unreadable image keeps the same bytes.
  const unreadable = (earlier?.leftOut ?? []).filter(({ kind }) => kind === 'unreadable');
  const missing = missingFrom(test, [...known, ...unreadable]);
  if (earlier !== null && missing.length === 0) return { ...earlier, testVersion };
  const judged = await judgeTestImages(deps, request, missing, pool.taxonomy, earlier !== null);
  if (earlier !== null && judged.rows.length === 0) return { ...earlier, testVersion };
  const leftOut = [...judged.leftOut, ...unreadable].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  await refuseManyLeftOut(store, `${place}too-many-left-out.json`, leftOut, {
    images: test.length,
    share: request.config.badImageShare,
    what: WORD_OF[split],
    pool: request.pool,
  });
  const scored = [...known, ...judged.rows].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  const summary = { ...summariseEvaluation(scored, pool.taxonomy), leftOut };
  return { ...(await keepEvaluation(store, place, scored, summary)), testVersion };
}

const noImages = (pool: string, split: IndexRow['split']): PartloopError =>
  new PartloopError('data-invalid', `pool \`${pool}\` has no ${WORD_OF[split]} images`, {
    hint:
      split === 'test'
        ? 'Import some with `--split test`: without them no model can be judged.'
        : `\`partloop pool stats ${pool}\` shows the sides of its split.`,
  });

const missingFrom = (test: readonly IndexRow[], known: readonly Pick<EvaluationRow, 'imageId'>[]): IndexRow[] => {
  const there = new Set(known.map(({ imageId }) => imageId));
  return test.filter(({ imageId }) => !there.has(imageId));
};
