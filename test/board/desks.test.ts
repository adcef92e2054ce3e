import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Desks } from '../../board/desks.js';
import { BATCH_IDLE_MS, type Batch } from '../../domain/board/batch.js';
import { addBatch, readBatches } from '../../storage/board.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readReviews } from '../../storage/reviews.js';
import { ulid } from '../../storage/ulid.js';
import { SCAN, type ScannedPool, scannedPool } from '../pool/review/scannedPool.js';
import { boardOver } from './kit.js';

const OTHERS = ['other-1', 'other-2', 'other-3', 'other-4'];

/** Scans under other names with the tables of the one that is there. */
async function copyScan(store: ObjectStore): Promise<void> {
  const { body } = await store.get(keys.scan(SCAN));
  const text = new TextDecoder().decode(body);
  for (const name of OTHERS) await store.put(keys.scan(name), text.replaceAll(`"scan":"${SCAN}"`, `"scan":"${name}"`));
}

describe('the scans that the board has open', () => {
  let folder: string;
  let cars: ScannedPool;
  let desks: Desks;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-desks-'));
    cars = await scannedPool(4);
    await copyScan(cars.store);
    desks = new Desks(cars.store, folder, (error) => {
      throw error;
    });
  });
  afterEach(async () => {
    await desks.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('stay open under work that uses them, however many others are opened meanwhile', async () => {
    const [first] = cars.findings;
    const found = await desks.use(SCAN, async ({ desk }) => {
      for (const name of OTHERS) await desks.use(name, () => undefined);
      return desk.wholeFindings([first?.findingId ?? '']);
    });
    assert.equal(found[0]?.findingId, first?.findingId);
  });

  it('are closed, with their answers handed in, once more than three are open and nobody uses them', async () => {
    const [first] = cars.findings;
    assert.ok(first !== undefined);
    const { findingId, imageId } = first;
    const answeredAt = new Date();
    await desks.use(SCAN, ({ answering }) =>
      answering.answer('ann', [answerTo(findingId, imageId, answeredAt)], answeredAt),
    );
    for (const name of OTHERS) await desks.use(name, () => undefined);
    // The scan opens again only after its end.
    await desks.use(SCAN, () => undefined);
    assert.deepEqual(
      (await readReviews(cars.store, 'cars')).verdicts.map((one) => one.findingId),
      [findingId],
    );
  });

  it('wait at the end for the work that still uses them', async () => {
    let isDone = false;
    const work = desks.use(SCAN, async ({ desk }) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await desk.wholeFindings([cars.findings[0]?.findingId ?? '']);
      isDone = true;
    });
    await desks.close();
    assert.ok(isDone);
    await work;
  });

  it('are asked for again after they could not be opened', async () => {
    await assert.rejects(
      desks.use('missing', () => undefined),
      /missing/,
    );
    await assert.rejects(
      desks.use('missing', () => undefined),
      /missing/,
    );
  });
});

describe('answers that a killed board left', function () {
  this.timeout(60_000);

  const left = (fields: Partial<Batch>, { findingId, imageId }: { findingId: string; imageId: string }): Batch => {
    const at = new Date(Date.now() - 2 * BATCH_IDLE_MS);
    return {
      ...{ version: 1, id: ulid(at), pool: 'cars', scan: SCAN, reviewer: 'ann', state: 'open', review: null },
      ...{ replaces: null, answers: [answerTo(findingId, imageId, at)], queue: 'findings', audits: [], planted: [] },
      ...fields,
    };
  };

  it('are handed in by the next board although nobody opens their scan, and it says so', async () => {
    const { store, findings } = await scannedPool(3);
    const [one, two, three] = findings;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    await addBatch(store, left({}, one));
    await addBatch(store, left({ reviewer: 'bob', state: 'closing', review: ulid(new Date()) }, two));
    // This reviewer may still be there, at another board.
    const now = new Date();
    await addBatch(store, left({ reviewer: 'eve', answers: [answerTo(three.findingId, three.imageId, now)] }, three));
    const notes = new EventEmitter();
    const told = once(notes, 'note');
    const board = await boardOver(store, { onNote: (text) => notes.emit('note', text) });
    try {
      assert.match(String((await told)[0]), /handed in answers .*: 2$/);
      const { verdicts } = await readReviews(store, 'cars');
      assert.deepEqual(new Set(verdicts.map(({ findingId }) => findingId)), new Set([one.findingId, two.findingId]));
      const states = (await readBatches(store, 'cars')).map(({ reviewer, state }) => `${reviewer} ${state}`);
      assert.deepEqual(states.sort(), ['ann closed', 'bob closed', 'eve open']);
    } finally {
      await board.close();
    }
  });
});

const answerTo = (findingId: string, imageId: string, at: Date): Batch['answers'][number] => ({
  ...{ findingId, imageId, verdict: 'right', comment: null, redrawn: null, activeMs: 900, isSecond: false },
  answeredAt: at.toISOString(),
});
