import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Answering } from '../../board/answering.js';
import { AuditOpener } from '../../board/audit/auditDesk.js';
import { ScanDesk } from '../../board/scanDesk.js';
import { BATCH_ANSWERS, BATCH_IDLE_MS, type BoardAnswer } from '../../domain/board/batch.js';
import { queueFilterSchema } from '../../domain/board/queue.js';
import { reviewerFigures } from '../../domain/board/reviewers.js';
import { readBatches } from '../../storage/board.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readReviews } from '../../storage/reviews.js';
import { halfLabel, SCAN, type ScannedPool, scannedPool, WIDTH } from '../pool/review/scannedPool.js';

import { putDrawn } from './kit.js';

const START = Date.parse('2026-05-01T08:00:00.000Z');

describe('answers on the board', () => {
  let folder: string;
  let cars: ScannedPool;
  let desk: ScanDesk;
  let answering: Answering;
  let seconds: number;

  /** A board over the same store, as a server has that was just started. */
  async function start(store: ObjectStore = cars.store): Promise<void> {
    desk = await ScanDesk.open(store, SCAN, folder);
    answering = new Answering(desk, new AuditOpener(desk));
    await answering.recover(now());
  }
  const now = (): Date => new Date(START + 1_000 * seconds++);

  const answerOf = (number: number, verdict: BoardAnswer['verdict']): BoardAnswer => {
    const finding = cars.findings[number - 1];
    if (finding === undefined) throw new Error(`no finding ${number}`);
    const { findingId, imageId } = finding;
    return {
      findingId,
      imageId,
      verdict,
      comment: null,
      redrawn: null,
      answeredAt: now().toISOString(),
      activeMs: 900,
      isSecond: false,
    };
  };
  const answer = (number: number, verdict: BoardAnswer['verdict'], reviewer = 'ann') =>
    answering.answer(reviewer, [answerOf(number, verdict)], now());
  const verdicts = async (): Promise<string[]> =>
    (await readReviews(cars.store, 'cars')).verdicts.map(({ findingId, verdict }) => `${findingId} ${verdict}`).sort();
  /** The share of an image's left half that has the proposed class. */
  const proposedShare = async (number: number): Promise<number> =>
    (await cars.now(number)).label.filter((value) => value === 3).length / (halfLabel().length / 2);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-answering-'));
    seconds = 0;
    cars = await scannedPool(BATCH_ANSWERS + 2);
    await start();
  });
  afterEach(async () => {
    await desk.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('wait in a batch until they are handed in, and then count as a review import', async () => {
    await answer(1, 'accept');
    await answer(2, 'right');
    assert.deepEqual([await verdicts(), await proposedShare(1)], [[], 0]);
    assert.deepEqual(await answering.handIn('ann', now()), []);
    assert.deepEqual(await verdicts(), ['f-car-1.jpg accept', 'f-car-2.jpg right']);
    assert.deepEqual([await proposedShare(1), await proposedShare(2)], [1, 0]);
  });

  it('are the last ones if a finding is answered twice', async () => {
    await answer(1, 'accept');
    await answer(1, 'right');
    await answering.handIn('ann', now());
    assert.deepEqual([await verdicts(), await proposedShare(1)], [['f-car-1.jpg right'], 0]);
  });

  it('are handed in by themselves when the batch is full, and when the reviewer went away', async () => {
    for (let number = 1; number < BATCH_ANSWERS; number++) await answer(number, 'right');
    await answering.handInDue(now());
    assert.equal((await verdicts()).length, 0);
    await answer(BATCH_ANSWERS, 'right');
    await answering.handInDue(now());
    assert.equal((await verdicts()).length, BATCH_ANSWERS);
    await answer(BATCH_ANSWERS + 1, 'unsure');
    await answering.handInDue(now());
    assert.equal((await verdicts()).length, BATCH_ANSWERS);
    seconds += BATCH_IDLE_MS / 1_000;
    await answering.handInDue(now());
    assert.equal((await verdicts()).length, BATCH_ANSWERS + 1);
  });

  it('are taken back one by one, also after they were handed in and after a restart', async () => {
    await answer(1, 'accept');
    await answer(2, 'accept');
    await answering.handIn('ann', now());
    await answer(3, 'right');
    await desk.close();
    await start();
    assert.equal(await answering.undo('ann', now()), 'f-car-3.jpg');
    assert.equal(await answering.undo('ann', now()), 'f-car-2.jpg');
    assert.deepEqual([await verdicts(), await proposedShare(1), await proposedShare(2)], [[], 0, 0]);
    await answering.handIn('ann', now());
    assert.deepEqual(
      [await verdicts(), await proposedShare(1), await proposedShare(2)],
      [['f-car-1.jpg accept'], 1, 0],
    );
    assert.equal(await answering.undo('ann', now()), 'f-car-1.jpg');
    assert.equal(await answering.undo('ann', now()), null);
    assert.deepEqual([await verdicts(), await proposedShare(1)], [[], 0]);
  });

  it('of one reviewer are not taken back by another', async () => {
    await answer(1, 'right', 'ann');
    assert.equal(await answering.undo('bob', now()), null);
    assert.equal(desk.answerTo('f-car-1.jpg')?.reviewer, 'ann');
  });

  it('are asked of a second person for some findings, who sees no first answer, and these change nothing', async () => {
    for (let number = 1; number <= 40; number++) await answer(number, 'right', 'ann');
    const filter = queueFilterSchema.parse({});
    const twice = [...desk.queue(filter, 'bob')].filter(({ findingId }) => desk.answerTo(findingId) !== null);
    assert.ok(twice.length > 0 && twice.length < 15, `${twice.length} of 40`);
    assert.equal([...desk.queue(filter, 'ann')].filter(({ findingId }) => desk.answerTo(findingId) !== null).length, 0);
    const [first] = twice;
    const number = cars.findings.findIndex(({ findingId }) => findingId === first?.findingId) + 1;
    await answering.answer('bob', [{ ...answerOf(number, 'accept'), isSecond: true }], now());
    assert.equal(desk.answerTo(first?.findingId ?? '')?.reviewer, 'ann');
    assert.equal(desk.needsSecond(first?.findingId ?? '', 'eve'), false);
    await answering.handInDue(now(), 'all');
    assert.deepEqual(new Set((await verdicts()).map((one) => one.split(' ')[1])), new Set(['right']));
    assert.equal(await proposedShare(number), 0);
    const { reviewers, disagreements } = reviewerFigures(desk.batches, 0);
    assert.deepEqual(
      reviewers.map(({ reviewer, answers, shared, alike }) => [reviewer, answers, shared, alike]),
      [
        ['ann', 40, 1, 0],
        ['bob', 1, 1, 0],
      ],
    );
    assert.deepEqual(
      disagreements.map(({ findingId }) => findingId),
      [first?.findingId],
    );
  });

  it('are neither lost nor counted twice whenever the server dies while they are handed in or taken back', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('accept', 'right', 'undo', 'hand in'), { maxLength: 8 }),
        fc.nat(30),
        async (does, dies) => {
          cars = await scannedPool(8);
          await start(dyingAfter(cars.store, dies));
          const standing: string[] = [];
          let number = 0;
          try {
            for (const what of does) {
              if (what === 'hand in') await answering.handIn('ann', now());
              else if (what === 'undo') {
                if ((await answering.undo('ann', now())) !== null) standing.pop();
              } else {
                number++;
                await answer(number, what as 'accept' | 'right');
                standing.push(`f-car-${number}.jpg ${what}`);
              }
            }
          } catch (error) {
            if (!(error instanceof Died)) throw error;
          }
          await desk.close();
          await start();
          await answering.handIn('ann', now());
          const found = await verdicts();
          // What was under way may have happened or not; all before it did.
          const missing = standing.filter((one) => !found.includes(one));
          assert.ok(missing.length <= 1, `${does.join(', ')}, dies after ${dies}: ${missing.join(', ')} missing`);
          assert.ok(found.filter((one) => !standing.includes(one)).length <= 1, found.join(', '));
          assert.equal(new Set(found.map((one) => one.split(' ')[0])).size, found.length);
          for (let image = 1; image <= number; image++) {
            const isAccepted = found.includes(`f-car-${image}.jpg accept`);
            assert.equal(
              await proposedShare(image),
              isAccepted ? 1 : 0,
              `label ${image} of ${does.join(', ')}, ${dies}`,
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('to a label that somebody else changed in the same place stay answers, and the label stays as it is', async () => {
    const { label } = await cars.now(1);
    const drawn = label.map((value, pixel) => (pixel % WIDTH < 4 ? 2 : value));
    await desk.close();
    const redrawn = await putDrawn(cars.store, label, drawn);
    await start();
    await answer(1, 'accept', 'bob');
    await answering.handIn('bob', now());
    await answering.answer('ann', [{ ...answerOf(1, 'wrong'), redrawn }], now());
    const [notApplied] = await answering.handIn('ann', now());
    assert.match(notApplied?.reason ?? '', /changed in the same place/);
    assert.equal(await proposedShare(1), 1);
    assert.ok((await readBatches(cars.store, 'cars')).every(({ state }) => state === 'closed'));
  });
});

class Died extends Error {}

/** A store whose process dies at its `count`th write from now. */
function dyingAfter(store: ObjectStore, count: number): ObjectStore {
  let left = count;
  const write = new Set(['put', 'putIfAbsent', 'replace', 'putFile']);
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        if (write.has(String(name)) && left-- <= 0) return Promise.reject(new Died());
        return value.apply(target, given);
      };
    },
  });
}
