import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../../domain/base/errors.js';
import { importVerdicts } from '../../../pool/review/importVerdicts.js';
import { reviewImports } from '../../../pool/review/reviewImports.js';
import { undoReview } from '../../../pool/review/undoReview.js';
import { keys } from '../../../storage/keys.js';
import { appendReviews, readReviews } from '../../../storage/reviews.js';
import { ulid } from '../../../storage/ulid.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { clock, desk, draw, within } from './desk.js';
import { halfLabel, type ScannedPool, scannedPool } from './scannedPool.js';

/** Class 3 in the upper left. */
const UPPER = draw((x, y) => (x >= 20 ? 1 : within(x, y, 0, 0, 10, 10) ? 3 : 0));
const AT_ONCE = 6;

describe('equal imports of reviews at one moment', function () {
  this.timeout(120_000);
  let server: TestStore;
  let folder: string;
  let cars: ScannedPool;
  let now: () => Date;

  before(async () => {
    server = await startTestStore();
  });
  after(() => server.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-at-once-'));
    cars = await scannedPool(2, { store: server.open(folder.slice(-6)) });
    now = clock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const imports = async () => reviewImports(await readReviews(cars.store, 'cars'), await cars.pool.history());

  it('are all undone by one undo, however many records they left', async () => {
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    const path = await returned({ 1: UPPER, 2: UPPER });
    const reports = await Promise.all(Array.from({ length: AT_ONCE }, () => take(path)));
    assert.deepEqual(reports.map(({ revised }) => revised).sort(), [0, 0, 0, 0, 0, 2]);
    const original = reports.find(({ revised }) => revised > 0)?.review;
    const repeated = (await imports()).filter(({ isRepeat }) => isRepeat).map(({ id }) => id);
    assert.equal(repeated.includes(original ?? ''), false);
    const undone = await undoReview(cars.store, { pool: 'cars', now: now() });
    assert.deepEqual([undone.review.id, undone.restored], [original, 2]);
    assert.deepEqual([...undone.repeats].sort(), [...repeated].sort());
    for (const number of [1, 2]) assert.deepEqual((await cars.now(number)).label, halfLabel());
    assert.deepEqual((await readReviews(cars.store, 'cars')).verdicts, []);
    await assert.rejects(undoReview(cars.store, { pool: 'cars', now: now() }), /all of them were undone/);
    // As if it had been one import: the file can be applied again.
    assert.deepEqual((await take(path)).revised, 2);
  });

  it('leave repeated records that no undo takes for the newest import, and that say so on request', async () => {
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    const { review } = await take(await returned({ 1: UPPER }));
    // The record of another import of the same file that had come as far at that moment.
    const [first] = (await readReviews(cars.store, 'cars')).imports;
    assert.ok(first?.about);
    const repeat = ulid(now());
    await appendReviews(cars.store, 'cars', repeat, first.about, first.verdicts);
    assert.deepEqual(
      (await imports()).map(({ id, isRepeat }) => [id, isRepeat]),
      [
        [repeat, true],
        [review, false],
      ],
    );
    await assert.rejects(
      undoReview(cars.store, { pool: 'cars', review: repeat, now: now() }),
      (error: unknown) =>
        error instanceof PartloopError && error.code === 'input-invalid' && /nothing of its own/.test(error.message),
    );
    const undone = await undoReview(cars.store, { pool: 'cars', now: now() });
    assert.deepEqual([undone.review.id, undone.restored, undone.repeats], [review, 1, [repeat]]);
  });

  it('do not count as repeats if they bring an answer of their own', async () => {
    const path = join(folder, 'answers.csv');
    await writeFile(path, 'finding_id,verdict\nf-car-1.jpg,right\n');
    const answered = await importVerdicts(cars.store, { path, reviewer: 'ann', now: now() });
    // It revised no label, but its answer is its own.
    assert.deepEqual(
      (await imports()).map(({ id, isRepeat }) => [id, isRepeat]),
      [[answered.review, false]],
    );
    assert.equal((await undoReview(cars.store, { pool: 'cars', now: now() })).review.id, answered.review);
  });

  it('leave nothing to undo if their records hold neither labels nor answers', async () => {
    const about = { at: now().toISOString(), reviewer: 'ann', scan: null, exportId: 'e', tableSha256: null };
    const asked = cars.images.map(({ imageId, labelSha256 }) => ({ imageId, labelSha256 }));
    const id = ulid(now());
    await appendReviews(cars.store, 'cars', id, { type: 'import', ...about, asked }, []);
    await assert.rejects(undoReview(cars.store, { pool: 'cars', now: now() }), /brought nothing of their own/);
    assert.notEqual(await cars.store.head(keys.reviews('cars', id)), null);
  });
});
