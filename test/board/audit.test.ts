import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Answering } from '../../board/answering.js';
import { type AuditDesk, AuditOpener } from '../../board/audit/auditDesk.js';
import { ScanDesk } from '../../board/scanDesk.js';
import type { AuditGiven } from '../../domain/board/batch.js';
import { certifyPool } from '../../storage/certificate.js';
import { openPool } from '../../storage/pool/pool.js';
import { readReviews } from '../../storage/reviews.js';
import { poolScans } from '../../storage/scans.js';
import { idOf } from '../domain/sample/rows.js';
import { draw, desk as toolDesk, within } from '../pool/review/desk.js';
import { halfLabel, SCAN, type ScannedPool, scannedPool } from '../pool/review/scannedPool.js';
import { putDrawn } from './kit.js';

const LABEL = halfLabel();
/** The missing part is there, and nothing else changed. */
const CORRECTED = draw((x, y) => (x >= 20 ? 1 : within(x, y, 0, 0, 20, 20) ? 3 : 0));
/** Another part is wrong, which no finding names. */
const OVERLOOKED = draw((x, y) => (x < 20 ? 0 : within(x, y, 30, 0, 40, 10) ? 2 : 1));
const START = Date.parse('2026-05-01T08:00:00.000Z');
const IMAGES = 5;

describe('the audit sample on the board', function () {
  this.timeout(60_000);
  let folder: string;
  let cars: ScannedPool;
  let desk: ScanDesk;
  let audit: AuditDesk;
  let answering: Answering;
  let seconds: number;
  const now = (): Date => new Date(START + 1_000 * seconds++);

  async function start(): Promise<void> {
    desk = await ScanDesk.open(cars.store, SCAN, folder);
    const opener = new AuditOpener(desk);
    answering = new Answering(desk, opener);
    await answering.recover(now());
    audit = await opener.get();
  }
  const sampled = (): Promise<ScannedPool> => scannedPool(IMAGES, { rows: { auditChance: 1, quarantined: true } });
  const say = (image: number, verdict: AuditGiven['verdict'], more: Partial<AuditGiven> = {}, reviewer = 'ann') =>
    answering.answerAudit(
      reviewer,
      {
        labelSha256: cars.images[image - 1]?.labelSha256 ?? '',
        ...{ imageId: idOf(image), verdict, comment: null, redrawn: null, objectsTo: [], activeMs: 4_000 },
        ...{ answeredAt: now().toISOString(), ...more },
      },
      now(),
    );
  const handIn = (reviewer = 'ann') => answering.handIn(reviewer, now(), 'audit');
  const open = (reviewer: string | null = null): number[] =>
    [...audit.queue(reviewer)].map((imageId) => Number.parseInt(imageId, 16)).sort();
  const audits = async () => (await readReviews(cars.store, 'cars')).audits;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-audit-'));
    seconds = 0;
    cars = await sampled();
    await start();
  });
  afterEach(async () => {
    await desk.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is recorded as the import of a file records it, down to the certificate', async () => {
    const drawn = async (label: Uint8Array) => ({ redrawn: await putDrawn(cars.store, LABEL, label) });
    await say(1, 'wrong', await drawn(CORRECTED));
    await say(2, 'wrong', await drawn(OVERLOOKED));
    await say(3, 'right');
    await say(4, 'right');
    assert.deepEqual(await handIn(), []);

    const other = await sampled();
    const { returned, take } = await toolDesk(other.store, folder, 'masks', now);
    await take(await returned({ 1: CORRECTED, 2: OVERLOOKED, 3: LABEL, 4: LABEL }), { unchanged: 'right' });

    assert.deepEqual(await recorded(cars), await recorded(other));
    for (let image = 1; image <= IMAGES; image++)
      assert.deepEqual((await cars.now(image)).label, (await other.now(image)).label, `label ${image}`);
    const certificate = async (pool: ScannedPool) =>
      certifyPool(pool.store, await openPool(pool.store, 'cars'), await poolScans(pool.store, 'cars'));
    const made = await certificate(cars);
    assert.deepEqual(made, await certificate(other));
    assert.equal(made.certificate?.answered, 4);
  });

  it('counts a label that is wrong without a drawing, and the findings that hold in it', async () => {
    await say(1, 'wrong', { objectsTo: ['f-car-1.jpg'] });
    await say(2, 'wrong', { comment: 'the door ends too early' });
    await handIn();
    assert.deepEqual(
      (await audits()).map(({ comment }) => comment),
      [undefined, 'the door ends too early'],
    );
    const found = (await audits()).map(({ imageId, wrong, found: known, setAside }) => ({
      ...{ image: Number.parseInt(imageId, 16), wrong, known, setAside },
    }));
    assert.deepEqual(
      found.sort((a, b) => a.image - b.image),
      [
        { image: 1, wrong: true, known: true, setAside: true },
        { image: 2, wrong: true, known: false, setAside: true },
      ],
    );
    const { verdicts } = await readReviews(cars.store, 'cars');
    assert.deepEqual(
      verdicts.map(({ findingId, verdict, correctedSha256 }) => [findingId, verdict, correctedSha256]),
      [['f-car-1.jpg', 'wrong', null]],
    );
  });

  it('asks somebody else about a label of which a reviewer is unsure, and tells nobody of it', async () => {
    await say(1, 'unsure');
    assert.deepEqual(
      [open('ann'), open('bob')],
      [
        [2, 3, 4, 5],
        [1, 2, 3, 4, 5],
      ],
    );
    await handIn();
    assert.deepEqual((await readReviews(cars.store, 'cars')).imports, []);
    await say(1, 'right', {}, 'bob');
    assert.deepEqual(open('eve'), [2, 3, 4, 5]);
  });

  it('shows no image whose label is answered, changed, or about to change', async () => {
    await say(1, 'right');
    await handIn();
    await answering.answer(
      'bob',
      [
        {
          ...{ findingId: 'f-car-2.jpg', imageId: idOf(2), verdict: 'accept', comment: null, redrawn: null },
          ...{ answeredAt: now().toISOString(), activeMs: 900, isSecond: false },
        },
      ],
      now(),
    );
    assert.deepEqual(open(), [3, 4, 5]);
    await answering.handIn('bob', now());
    assert.deepEqual(open(), [3, 4, 5]);
    const { returned, take } = await toolDesk(cars.store, folder, 'masks', now);
    await take(await returned({ 3: LABEL }), { unchanged: 'right' });
    await desk.close();
    await start();
    assert.deepEqual(open(), [4, 5]);
  });

  it('takes answers back one by one, also after they were handed in and after a restart, and no finding', async () => {
    await answering.answer(
      'ann',
      [
        {
          ...{ findingId: 'f-car-5.jpg', imageId: idOf(5), verdict: 'unsure', comment: null, redrawn: null },
          ...{ answeredAt: now().toISOString(), activeMs: 900, isSecond: false },
        },
      ],
      now(),
    );
    await say(1, 'right');
    await say(2, 'wrong', { redrawn: await putDrawn(cars.store, LABEL, CORRECTED) });
    await handIn();
    await say(3, 'right');
    await desk.close();
    await start();
    const undo = () => answering.undo('ann', now(), 'audit');
    assert.equal(await undo(), idOf(3));
    assert.equal(await undo(), idOf(2));
    assert.deepEqual(await audits(), []);
    assert.deepEqual((await cars.now(2)).label, LABEL);
    assert.deepEqual(open('ann'), [2, 3, 4, 5]);
    await handIn();
    assert.deepEqual(
      (await audits()).map(({ imageId, wrong }) => [imageId, wrong]),
      [[idOf(1), false]],
    );
    assert.equal(await undo(), idOf(1));
    assert.equal(await undo(), null);
    assert.equal(await answering.undo('ann', now()), 'f-car-5.jpg');
  });

  it('is handed in once if the server died while it was handed in', async () => {
    await say(1, 'wrong', { redrawn: await putDrawn(cars.store, LABEL, CORRECTED) });
    await say(2, 'right');
    const [batch] = desk.batches;
    await handIn();
    // As if the batch had not been closed any more.
    await cars.store.put(
      `pools/cars/board/batches/${batch?.id}.json`,
      JSON.stringify({ ...desk.batches[0], state: 'closing' }),
    );
    await desk.close();
    await start();
    assert.equal((await audits()).length, 2);
    assert.equal((await cars.now(1)).row.labelRevision, 2);
    assert.ok(desk.batches.every(({ state }) => state === 'closed'));
  });
});

/** What is stored, without who answered when and from where. */
async function recorded({ store }: ScannedPool) {
  const { verdicts, audits, imports } = await readReviews(store, 'cars');
  const anonymous = <T extends { imageId: string; reviewer: string | null; reviewedAt: string }>(answers: T[]) =>
    answers
      .map(({ reviewer: _who, reviewedAt: _when, ...rest }) => rest)
      .sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  return {
    verdicts: anonymous(verdicts),
    audits: anonymous(audits),
    imports: imports.map(({ about }) => ({
      scan: about?.scan,
      asked: about?.asked.toSorted((a, b) => (a.imageId < b.imageId ? -1 : 1)),
    })),
  };
}
