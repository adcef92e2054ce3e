import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IndexRow } from '../../../domain/tables.js';
import { importVerdicts } from '../../../pool/review/importVerdicts.js';
import { reviewImports } from '../../../pool/review/reviewImports.js';
import { undoReview } from '../../../pool/review/undoReview.js';
import { keys } from '../../../storage/keys.js';
import { readReviews } from '../../../storage/reviews.js';
import { ulid } from '../../../storage/ulid.js';
import { idOf } from '../../domain/sample/rows.js';
import { clock, desk, draw, within } from './desk.js';
import { halfLabel, missingPart, type ScannedPool, scannedPool } from './scannedPool.js';

const LABEL = halfLabel();
/** Class 3 in the upper left. */
const UPPER = draw((x, y) => (x >= 20 ? 1 : within(x, y, 0, 0, 10, 10) ? 3 : 0));
/** Class 2 in the lower left. */
const LOWER = draw((x, y) => (x >= 20 ? 1 : within(x, y, 0, 12, 10, 20) ? 2 : 0));
const BOTH = UPPER.map((value, pixel) => (LOWER[pixel] === 2 ? 2 : value));

describe('a review that is undone', function () {
  this.timeout(60_000);
  let folder: string;
  let cars: ScannedPool;
  let now: () => Date;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-undo-'));
    cars = await scannedPool(2, { rows: { auditChance: 0.5 } });
    now = clock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const undo = (review?: string | null) =>
    undoReview(cars.store, { pool: 'cars', now: now(), ...(review ? { review } : {}) });
  const reviews = () => readReviews(cars.store, 'cars');
  const imports = async () => reviewImports(await reviews(), await cars.pool.history());
  const labelOf = async (number: number) => (await cars.now(number)).label;

  it('restores labels as new revisions, and withdraws its answers; the same file can be applied again', async () => {
    const { returned, take } = await desk(cars.store, folder, 'coco', now);
    const path = await returned({ 1: UPPER, 2: LABEL });
    const first = await take(path, { unchanged: 'right' });
    assert.deepEqual([first.revised, first.verdicts, first.audits], [1, 2, 2]);
    const undone = await undo();
    assert.deepEqual([undone.review.id, undone.restored, undone.leftAlone], [first.review, 1, []]);
    const { row, label } = await cars.now(1);
    assert.deepEqual(label, LABEL);
    const { labelSha256, labelUri, classes } = cars.images[0] as IndexRow;
    assert.deepEqual([row.labelSha256, row.labelUri, row.classes], [labelSha256, labelUri, classes]);
    assert.deepEqual([row.labelRevision, row.change, row.changeId], [3, 'undo', first.review]);
    const after = await reviews();
    assert.deepEqual([after.verdicts, after.audits, after.imports.length], [[], [], 1]);
    // The revision that was undone is not lost.
    assert.equal((await cars.pool.history()).revisions(idOf(1)).length, 3);

    const again = await take(path, { unchanged: 'right' });
    assert.deepEqual([again.revised, again.verdicts, again.audits], [1, 2, 2]);
    assert.deepEqual(await labelOf(1), UPPER);
    assert.equal((await take(path, { unchanged: 'right' })).review, null);
  });

  it('may be a table of answers, whose labels and verdicts go with it', async () => {
    const path = join(folder, 'answers.csv');
    await writeFile(path, 'finding_id,verdict\nf-car-1.jpg,accept\nf-car-2.jpg,right\n');
    const take = () => importVerdicts(cars.store, { path, reviewer: 'ann', now: now() });
    const first = await take();
    const accepted = await labelOf(1);
    assert.equal((await undo()).restored, 1);
    assert.deepEqual(await labelOf(1), LABEL);
    assert.deepEqual((await reviews()).verdicts, []);
    const again = await take();
    assert.deepEqual([again.revised, again.verdicts], [first.revised, first.verdicts]);
    assert.deepEqual(await labelOf(1), accepted);
  });

  it('leaves labels alone that changed since, and names them', async () => {
    const first = await desk(cars.store, folder, 'masks', now);
    const second = await desk(cars.store, folder, 'masks', now, { reviewer: 'bob' });
    const upper = await first.take(await first.returned({ 1: UPPER, 2: UPPER }));
    const lower = await second.take(await second.returned({ 1: LOWER }));
    const undone = await undo(upper.review);
    assert.deepEqual([undone.restored, undone.leftAlone.map(({ imageId }) => imageId)], [1, [idOf(1)]]);
    assert.match(undone.leftAlone[0]?.reason ?? '', /changed again since/);
    assert.deepEqual([await labelOf(1), await labelOf(2)], [BOTH, LABEL]);
    assert.equal((await undo()).review.id, lower.review);
    assert.deepEqual(await labelOf(1), LABEL);
  });

  it('leaves the original label once the review above it is undone too, in either order', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
      [0, 1, 0],
    ]) {
      cars = await scannedPool(2);
      const { returned, take } = await desk(cars.store, folder, 'coco', now);
      const first = await take(await returned({ 1: UPPER, 2: LABEL }));
      const second = await take(await returned({ 1: BOTH, 2: LABEL }));
      for (const at of order) await undo([first, second][at]?.review).catch(() => undefined);
      assert.deepEqual(await labelOf(1), LABEL, order.join(', '));
    }
  });

  it('says so if it was undone already, does not exist, or there is none', async () => {
    await assert.rejects(undo(), /no review import to undo: there is none/);
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    const { review } = await take(await returned({ 1: UPPER }));
    await undo();
    await assert.rejects(undo(review), new RegExp(`${review} was undone already, at 2026-`));
    await assert.rejects(undo(), /all of them were undone/);
    await assert.rejects(undo(ulid(now())), /no review import 0/);
    assert.equal((await cars.now(1)).row.labelRevision, 3);
  });

  it('is listed with its time', async () => {
    const { returned, take, manifest } = await desk(cars.store, folder, 'masks', now);
    const { review } = await take(await returned({ 1: UPPER }));
    const [before] = await imports();
    assert.deepEqual(
      [before?.id, before?.reviewer, before?.exportId, before?.labels, before?.verdicts, before?.undoneAt],
      [review, 'ann', manifest.exportId, 1, 1, null],
    );
    await undo();
    assert.match((await imports())[0]?.undoneAt ?? '', /^2026-/);
  });

  it('is undone completely even if the import died before its answers, or the undo before the withdrawal', async () => {
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    const { review } = await take(await returned({ 1: UPPER, 2: UPPER }));
    await cars.store.delete([keys.reviews('cars', review ?? '')]);
    assert.deepEqual(
      (await imports()).map(({ id, labels, verdicts }) => [id, labels, verdicts]),
      [[review, 2, 0]],
    );
    const half = (await cars.pool.history()).latest(idOf(1)) as IndexRow;
    const { labelUri, labelSha256, classes } = cars.images[0] as IndexRow;
    await cars.pool.append(() => [
      { ...half, labelUri, labelSha256, classes, labelRevision: 3, change: 'undo', changeId: review },
    ]);
    const undone = await undo(review);
    assert.deepEqual([undone.restored, undone.leftAlone], [1, []]);
    assert.deepEqual([await labelOf(1), await labelOf(2)], [LABEL, LABEL]);
  });

  it('may be older than the records of imports', async () => {
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    const { review } = await take(await returned({ 1: UPPER }));
    // As it was written then: rows without their change, and answers alone.
    const key = keys.reviews('cars', review ?? '');
    const lines = new TextDecoder()
      .decode((await cars.store.get(key)).body)
      .split('\n')
      .slice(1);
    const older = await scannedPool(2);
    const row = (await cars.pool.history()).latest(idOf(1)) as IndexRow;
    await older.store.put(row.labelUri, (await cars.store.get(row.labelUri)).body);
    await older.pool.append(() => [{ ...row, change: null, changeId: null }]);
    await older.store.put(key, lines.join('\n'));
    cars = older;
    assert.deepEqual(
      (await imports()).map(({ id, reviewer, labels }) => [id, reviewer, labels]),
      [[review, 'ann', 1]],
    );
    assert.equal((await undo()).restored, 1);
    assert.deepEqual(await labelOf(1), LABEL);
    assert.deepEqual((await reviews()).verdicts, []);
  });

  it('touches no image that was removed from the pool', async () => {
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    await take(await returned({ 1: UPPER }));
    const row = (await cars.pool.history()).latest(idOf(1)) as IndexRow;
    await cars.pool.append(() => [
      { ...row, labelRevision: row.labelRevision + 1, change: 'removal', removedAt: '2026-02-04T00:00:00.000Z' },
    ]);
    const undone = await undo();
    assert.deepEqual([undone.restored, undone.leftAlone[0]?.reason], [0, 'the pool no longer lists it']);
  });

  it('keeps other facts of the image that came since', async () => {
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    await take(await returned({ 1: UPPER }));
    const row = (await cars.pool.history()).latest(idOf(1)) as IndexRow;
    await cars.pool.append(() => [{ ...row, labelRevision: row.labelRevision + 1, change: 'facts', vehicleId: 'v1' }]);
    await undo();
    const after = await cars.now(1);
    assert.deepEqual([after.row.vehicleId, after.label], ['v1', LABEL]);
  });
});

describe('an image that came back unchanged', function () {
  this.timeout(60_000);

  it('does not contradict a person’s answer to its finding', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'partloop-unchanged-'));
    try {
      const now = clock();
      const cars = await scannedPool(2);
      const { returned, take } = await desk(cars.store, folder, 'coco', now);
      const path = join(folder, 'answers.csv');
      await writeFile(path, `finding_id,verdict\n${cars.findings[0]?.findingId},wrong\n`);
      await importVerdicts(cars.store, { path, reviewer: 'ann', now: now() });
      const { verdicts } = await take(await returned({ 1: LABEL, 2: LABEL }), { unchanged: 'right' });
      assert.equal(verdicts, 1);
      const said = (await readReviews(cars.store, 'cars')).verdicts;
      assert.deepEqual(
        said.map(({ verdict, reviewer }) => [verdict, reviewer]),
        [
          ['wrong', 'ann'],
          ['right', said[1]?.reviewer],
        ],
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('several reviewers', function () {
  this.timeout(60_000);
  let folder: string;
  let cars: ScannedPool;
  let now: () => Date;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-people-'));
    cars = await scannedPool(1, { findings: (image) => [missingPart(image)] });
    now = clock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('combine changes in different places of one label, in any order and at one moment', async () => {
    const one = await desk(cars.store, folder, 'coco', now);
    const [upper, lower] = [await one.returned({ 1: UPPER }), await one.returned({ 1: LOWER })];
    const ann = await one.take(upper);
    const bob = await one.take(lower, { reviewer: 'bob' });
    assert.deepEqual([ann.changed, bob.changed, bob.refused], [1, 1, []]);
    assert.deepEqual((await cars.now(1)).label, BOTH);
    assert.equal((await one.take(upper)).review, null);

    cars = await scannedPool(1);
    const other = await desk(cars.store, folder, 'coco', now);
    const paths = [await other.returned({ 1: UPPER }), await other.returned({ 1: LOWER })];
    const both = await Promise.all(paths.map((path) => other.take(path)));
    assert.deepEqual(
      both.map(({ revised }) => revised),
      [1, 1],
    );
    assert.deepEqual((await cars.now(1)).label, BOTH);
    assert.equal((await cars.now(1)).row.labelRevision, 3);
  });

  it('do not undo each other when an older file comes once more', async () => {
    const ann = await desk(cars.store, folder, 'coco', now);
    const upper = await ann.returned({ 1: UPPER });
    await ann.take(upper);
    // Bob finds that half of it was wrong: his answer is the newer one.
    const halved = UPPER.map((value, pixel) => (value === 3 && pixel % 40 > 5 ? 0 : value));
    const bob = await ann.again();
    await bob.take(await bob.returned({ 1: halved }), { reviewer: 'bob' });
    const again = await ann.take(upper);
    assert.deepEqual([again.known, again.changed, again.review], [1, 0, null]);
    assert.deepEqual((await cars.now(1)).label, halved);
    // Bob's answer is taken back: ann's is the newest that counts.
    await undoReview(cars.store, { pool: 'cars', now: now() });
    assert.deepEqual((await cars.now(1)).label, UPPER);
  });

  it('may repeat a change on the newer label that others took back', async () => {
    const ann = await desk(cars.store, folder, 'coco', now);
    await ann.take(await ann.returned({ 1: UPPER }));
    const bob = await ann.again();
    await bob.take(await bob.returned({ 1: LABEL }), { reviewer: 'bob' });
    const later = await bob.again();
    assert.equal((await later.take(await later.returned({ 1: UPPER }))).changed, 1);
    assert.deepEqual((await cars.now(1)).label, UPPER);
  });

  it('are applied again if an import restored the older label', async () => {
    const { returned, take } = await desk(cars.store, folder, 'coco', now);
    const path = await returned({ 1: UPPER });
    await take(path);
    await cars.pool.append(() => [{ ...(cars.images[0] as IndexRow), labelRevision: 9, change: 'relabel' }]);
    const again = await take(path);
    assert.deepEqual([again.changed, again.verdicts], [1, 0]);
    assert.deepEqual((await cars.now(1)).label, UPPER);
  });
});
