import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { undoReview } from '../../../pool/review/undoReview.js';
import { certifyPool } from '../../../storage/certificate.js';
import { openPool } from '../../../storage/pool/pool.js';
import { poolScans } from '../../../storage/scans.js';
import { indexRow } from '../../domain/sample/rows.js';
import { clock, desk, draw, within } from './desk.js';
import { halfLabel, SCAN, type ScannedPool, scannedPool } from './scannedPool.js';

const LABEL = halfLabel();
const CORRECTED = draw((x, y) => (x >= 20 ? 1 : within(x, y, 0, 0, 10, 10) ? 3 : 0));

describe('the certificate of a stored pool', function () {
  this.timeout(60_000);
  let folder: string;
  let cars: ScannedPool;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-certify-'));
    // All images are in the sample, so every figure is exact.
    cars = await scannedPool(4, { rows: { auditChance: 1 } });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const made = async () =>
    certifyPool(cars.store, await openPool(cars.store, 'cars'), await poolScans(cars.store, 'cars'));

  it('is none before the first answer, and names the scan whose sample to answer', async () => {
    const { certificate, scans } = await made();
    assert.equal(certificate, null);
    assert.deepEqual(scans, [{ scan: SCAN, images: 4, drawn: 4, answered: 0 }]);
  });

  it('follows answers, corrections, their undo, and images that it does not cover', async () => {
    const now = clock();
    const { returned, take } = await desk(cars.store, folder, 'coco', now);
    await take(await returned({ 1: CORRECTED, 2: LABEL, 3: LABEL }), { unchanged: 'right' });
    const { certificate: first } = await made();
    assert.deepEqual([first?.answered, first?.settled, first?.knownWrong], [3, 1, 0]);
    assert.equal(first?.atMost, 0.25, 'the image without an answer may be wrong');

    await cars.pool.append(() => [
      indexRow(8, { split: 'test' }),
      indexRow(9),
      { ...indexRow(4), labelRevision: 2, change: 'removal', removedAt: now().toISOString() },
    ]);
    const second = await made();
    assert.deepEqual(second.notCovered, { images: 2, test: 1 });
    assert.equal(second.certificate?.images, 3);

    await undoReview(cars.store, { pool: 'cars', now: now() });
    assert.equal((await made()).certificate, null);
  });
});
