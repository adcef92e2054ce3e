import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { IndexRow } from '../../../domain/tables.js';
import { REVIEW_FORMATS } from '../../../formats/manifest.js';
import { reviewImports } from '../../../pool/review/reviewImports.js';
import { undoReview } from '../../../pool/review/undoReview.js';
import { keys } from '../../../storage/keys.js';
import { openPool } from '../../../storage/pool/pool.js';
import { readReviews } from '../../../storage/reviews.js';
import { idOf } from '../../domain/sample/rows.js';
import { clock, type Desk, desk } from './desk.js';
import { HEIGHT, halfLabel, scannedPool, WIDTH } from './scannedPool.js';

/** A reviewer paints class `value` over rows `from` to `to` of the left half. */
interface Stroke {
  image: 1 | 2;
  from: number;
  to: number;
  value: number;
}
type Step =
  | { kind: 'review'; stroke: Stroke }
  | { kind: 'again'; file: number }
  | { kind: 'export' }
  | { kind: 'undo' }
  | { kind: 'old label' };

const stroke: fc.Arbitrary<Stroke> = fc.record({
  image: fc.constantFrom(1, 2),
  from: fc.nat(HEIGHT - 1),
  to: fc.integer({ min: 1, max: HEIGHT }),
  value: fc.nat(3),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('review' as const), stroke }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('again' as const), file: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'export' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'undo' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'old label' as const }) },
  ),
  { minLength: 2, maxLength: 9 },
);

describe('reviews in any order', function () {
  this.timeout(240_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-sequence-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('lose no revision; a repeated file changes nothing; an undo restores the earlier state', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(...REVIEW_FORMATS), async (all, format) => {
        const now = clock();
        const cars = await scannedPool(2, { findings: () => [] });
        let export_ = await desk(cars.store, folder, format, now);
        const files: { path: string; from: Desk }[] = [];
        let revisions = 2;
        const labels = async () => Promise.all([1, 2].map(async (number) => (await cars.now(number)).row.labelSha256));
        const count = async (): Promise<number> => {
          const rows = [...(await (await openPool(cars.store, 'cars')).history()).rows()];
          for (const { labelUri } of rows) assert.ok((await cars.store.head(labelUri)) !== null, 'a label is gone');
          return rows.length;
        };
        const take = async ({ path, from }: (typeof files)[number]): Promise<void> => {
          const before = await labels();
          const report = await from.take(path, { empty: 'deleted' });
          const after = await labels();
          assert.equal(after.filter((label, at) => label !== before[at]).length, report.revised);
          const again = await from.take(path, { empty: 'deleted' });
          assert.deepEqual([again.revised, again.review, await labels()], [0, null, after]);
        };
        for (const step of all) {
          if (step.kind === 'review') {
            const painted = new Map([1, 2].map((number) => [number, halfLabel()]));
            for (const number of [1, 2]) painted.set(number, (await cars.now(number)).label);
            const { image, from, to, value } = step.stroke;
            const label = painted.get(image) ?? halfLabel();
            for (let y = from; y < to; y++) label.fill(value, y * WIDTH, y * WIDTH + WIDTH / 2);
            files.push({ path: await export_.returned({ [image]: label }), from: export_ });
            await take(files.at(-1) as (typeof files)[number]);
          } else if (step.kind === 'again') {
            const file = files[step.file];
            if (file !== undefined) await take(file);
          } else if (step.kind === 'export') export_ = await export_.again();
          else if (step.kind === 'old label') {
            const row = (await cars.pool.history()).latest(idOf(1)) as IndexRow;
            const { labelUri, labelSha256, classes } = cars.images[0] as IndexRow;
            if (row.labelSha256 === labelSha256) continue;
            const older = { ...row, labelUri, labelSha256, classes, labelRevision: row.labelRevision + 1 };
            await cars.pool.append(() => [{ ...older, change: 'relabel', changeId: null }]);
          } else {
            const standing = reviewImports(await readReviews(cars.store, 'cars'), await cars.pool.history()).find(
              ({ undoneAt, isRepeat }) => undoneAt === null && !isRepeat,
            );
            if (standing === undefined) continue;
            const { restored, leftAlone, review } = await undoReview(cars.store, { pool: 'cars', now: now() });
            assert.equal(restored + leftAlone.length, standing.labels);
            const history = await cars.pool.history();
            for (const number of [1, 2]) {
              const rows = history.revisions(idOf(number));
              const made = rows.findIndex(({ change, changeId }) => change === 'review' && changeId === review.id);
              if (rows.at(-1)?.changeId === review.id && rows.at(-1)?.change === 'undo')
                assert.equal(rows.at(-1)?.labelSha256, rows[made - 1]?.labelSha256);
            }
          }
          const rows = await count();
          assert.ok(rows >= revisions, 'a revision is gone');
          revisions = rows;
        }
      }),
      { numRuns: 10 },
    );
  });

  it('of several people at one moment have the same result as one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stroke, { minLength: 2, maxLength: 4 }), async (strokes) => {
        // Each person has rows of their own, so that nobody contradicts another one.
        const own = strokes.map(({ image, value }, at) => ({
          image,
          value: (value % 3) + 1,
          from: 4 * at,
          to: 4 * at + 4,
        }));
        const results: string[][] = [];
        for (const atOnce of [true, false]) {
          const now = clock();
          const cars = await scannedPool(2, { findings: () => [] });
          const { returned, take } = await desk(cars.store, folder, 'masks', now);
          const paths = [];
          for (const { image, value, from, to } of own) {
            const label = halfLabel();
            for (let y = from; y < to; y++) label.fill(value, y * WIDTH, y * WIDTH + WIDTH / 2);
            paths.push(await returned({ [image]: label }));
          }
          const reports = [];
          if (atOnce) reports.push(...(await Promise.all(paths.map((path) => take(path)))));
          else for (const path of paths) reports.push(await take(path));
          assert.ok(reports.every(({ revised, refused }) => revised === 1 && refused.length === 0));
          results.push((await Promise.all([1, 2].map((number) => cars.now(number)))).map(({ row }) => row.labelSha256));
          const { imports } = await readReviews(cars.store, 'cars');
          assert.equal(imports.length, own.length);
          for (const { id } of imports) assert.ok((await cars.store.head(keys.reviews('cars', id))) !== null);
        }
        assert.deepEqual(results[0], results[1]);
      }),
      { numRuns: 5 },
    );
  });
});
