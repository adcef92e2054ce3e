import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createDrawActivities } from '../../../../activities/draw.js';
import { type LoopConfig, loopConfigSchema } from '../../../../domain/config.js';
import { withAttempt } from '../../../../domain/loop/state.js';
import type { IterationContext } from '../../../../domain/steps.js';
import { importVerdicts } from '../../../../pool/review/importVerdicts.js';
import { drawQuestions } from '../../../../pool/review/propagate/unattended.js';
import { undoReview } from '../../../../pool/review/undoReview.js';
import { keys } from '../../../../storage/keys.js';
import { updateLoopState } from '../../../../storage/loopState.js';
import type { ObjectStore } from '../../../../storage/objects/objectStore.js';
import { readReviews } from '../../../../storage/reviews.js';
import { newestRound } from '../../../../storage/rounds.js';
import { readScanRecord } from '../../../../storage/scans.js';
import { ROOT } from '../../../support/binaries.js';
import { startTestStore, type TestStore } from '../../../support/servers/s3.js';
import { clock, draw } from '../desk.js';
import { halfLabel, SCAN, type ScannedPool, scannedPool } from '../scannedPool.js';

const LABEL = halfLabel();
const FIXED = draw((x) => (x >= 20 ? 1 : 3));
const [IMAGES, ANSWERS] = [60, 20];

describe('corrections that scans make by themselves', function () {
  this.timeout(180_000);
  let s3: TestStore;
  let folder: string;
  let cars: ScannedPool;
  let now: () => Date;

  before(async () => {
    s3 = await startTestStore();
  });
  after(() => s3?.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-unattended-'));
    cars = await scannedPool(IMAGES, { store: s3.open(randomUUID()) });
    for (const { imageUri } of cars.images) await cars.store.put(imageUri, 'picture');
    now = clock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  type Mode = LoopConfig['scan']['autoCorrect'];
  const contextOf = (autoCorrect: Mode, loop = 'scan-cars-2'): IterationContext => ({
    ...{ loop, iteration: 1, previous: null, force: null },
    config: loopConfigSchema.parse({
      ...{ pool: 'cars', chunkSize: IMAGES },
      // With 20 answers, none harmful, at most 30 % are bounded in a first round.
      scan: { autoCorrect, autoCorrectAlpha: 0.3, autoCorrectAnswers: ANSWERS },
    }),
  });
  const questions = (mode: Mode) =>
    drawQuestions(cars.store, contextOf(mode, SCAN), { findings: 'findings.parquet', isAlone: true, now: now() });
  const nextDraw = (mode: Mode, store: ObjectStore = cars.store, loop?: string) =>
    createDrawActivities({ store, home: join(folder, 'home'), root: ROOT, log: pino({ level: 'silent' }) }).draw({
      ...{ context: contextOf(mode, loop), results: {}, isAlone: true },
    });
  const round = async (scan = SCAN) => {
    const newest = await newestRound(cars.store, 'cars', scan);
    assert.ok(newest !== null);
    return newest;
  };
  async function answer(verdict = 'accept', from = 0, scan = SCAN): Promise<void> {
    const ids = (await round(scan)).strata.map(({ drawn }) => drawn).slice(from);
    const path = join(folder, `${verdict}.csv`);
    await writeFile(path, `finding_id,verdict\n${ids.map((id) => `${id},${verdict}\n`).join('')}`);
    await importVerdicts(cars.store, { path, reviewer: 'ann', now: now() });
  }
  /** Numbers of the images whose proposals nobody was asked about. */
  async function others(scan = SCAN): Promise<number[]> {
    return (await round(scan)).strata.flatMap(({ drawn, proposals }) =>
      proposals.flatMap(({ findingId }) => (findingId === drawn ? [] : [Number(/\d+/.exec(findingId)?.[0])])),
    );
  }
  async function assertLabels(numbers: readonly number[], label: Uint8Array): Promise<void> {
    for (const one of numbers) assert.deepEqual((await cars.now(one)).label, label, `image ${one}`);
  }
  const corrections = async () =>
    (await readReviews(cars.store, 'cars')).imports.filter(({ about }) => about?.propagation !== undefined);

  it('do nothing if off: no question, no object, and answers to a round change no label', async () => {
    assert.equal(await questions('off'), null);
    assert.equal(await newestRound(cars.store, 'cars', SCAN), null);
    await questions('apply');
    await answer();
    for (const mode of ['off', 'propose'] as const) assert.equal((await nextDraw(mode)).facts.corrected, undefined);
    await assertLabels(await others(), LABEL);
    assert.equal((await corrections()).length, 0);
  });

  it('draw the questions of a scan once, change nothing, and wait for all answers', async () => {
    const version = await cars.pool.latestVersion();
    const asked = await questions('propose');
    assert.deepEqual(asked, { asked: ANSWERS, correctable: IMAGES - ANSWERS });
    const { id } = await round();
    assert.deepEqual(await questions('propose'), asked);
    assert.equal((await round()).id, id);
    assert.equal(await cars.pool.latestVersion(), version);
    await answer('accept', 1);
    assert.equal((await nextDraw('apply')).facts.corrected, 0);
    await assertLabels(await others(), LABEL);
  });

  it('are written before the next draw, once, with their bound, and stay undone if undone', async () => {
    await questions('apply');
    await answer();
    const drawn = await nextDraw('apply');
    assert.equal(drawn.facts.corrected, IMAGES - ANSWERS);
    assert.equal(drawn.facts.poolVersion, await cars.pool.latestVersion());
    await assertLabels(await others(), FIXED);
    const again = await nextDraw('apply');
    assert.deepEqual([again.outcome, again.facts.poolVersion], ['hit', drawn.facts.poolVersion]);
    const [only, ...more] = await corrections();
    assert.equal(more.length, 0);
    const log = only?.about?.propagation;
    assert.deepEqual(
      [log?.alpha, log?.confidence, log?.answers.length, log?.by],
      [0.3, 0.95, ANSWERS, { loop: 'scan-cars-2', iteration: 1 }],
    );
    assert.equal((await undoReview(cars.store, { pool: 'cars', now: now() })).review.id, only?.id);
    await nextDraw('apply', cars.store, 'scan-cars-3');
    await assertLabels(await others(), LABEL);
  });

  it('never reach images that joined the test set after the draw of the questions', async () => {
    await questions('apply');
    const [late = 0, ...rest] = await others();
    await cars.pool.append((history) => {
      const row = history.latest(cars.images[late - 1]?.imageId ?? '');
      if (row === undefined) return [];
      return [{ ...row, split: 'test' as const, labelRevision: row.labelRevision + 1, change: 'facts' as const }];
    });
    await answer();
    assert.equal((await nextDraw('apply')).facts.corrected, IMAGES - ANSWERS - 1);
    await assertLabels([late], LABEL);
    await assertLabels(rest, FIXED);
  });

  it('are not written twice by workers that die half way and by attempts that race', async () => {
    await questions('apply');
    await answer();
    const { store } = cars;
    const { id, number } = await round();
    for (const place of ['/reviews/', '/catalog/', keys.roundDone('cars', SCAN, number)]) {
      const fail = (key: string) => {
        if (key.includes(place)) throw new Error(`died before ${place}`);
      };
      const dying: ObjectStore = Object.assign(Object.create(store), {
        put: async (key: string, ...rest: [string]) => {
          fail(key);
          return store.put(key, ...rest);
        },
        putIfAbsent: async (key: string, ...rest: [string]) => {
          fail(key);
          return store.putIfAbsent(key, ...rest);
        },
      });
      await assert.rejects(nextDraw('apply', dying), /died before/);
    }
    const [one, two] = await Promise.all([nextDraw('apply'), nextDraw('apply')]);
    assert.deepEqual([one.facts.corrected, two.facts.corrected], [IMAGES - ANSWERS, IMAGES - ANSWERS]);
    const written = await corrections();
    assert.deepEqual(
      written.map(({ about }) => about?.propagation?.round),
      [id],
    );
    const history = await cars.pool.history();
    for (const image of await others()) {
      const rows = history.revisions(cars.images[image - 1]?.imageId ?? '');
      assert.equal(rows.filter(({ changeId }) => changeId === written[0]?.id).length, 1);
    }
  });

  it('of a loop are written before its next iteration, and never into one that has its pool version', async () => {
    const { store } = cars;
    await loopScanned('loop-a');
    await drawQuestions(store, contextOf('apply', 'loop-a'), {
      ...{ findings: 'findings.parquet', isAlone: false, now: now() },
    });
    const first = await iteration('loop-a', 2);
    await answer('accept', 0, 'loop-a:1');
    const retried = await iteration('loop-a', 2);
    assert.deepEqual([retried.digest, retried.outcome], [first.digest, 'hit']);
    await iteration('loop-b', 1);
    const corrected = await others('loop-a:1');
    await assertLabels(corrected, LABEL);
    assert.equal((await iteration('loop-a', 3)).facts.corrected, IMAGES - ANSWERS);
    await assertLabels(corrected, FIXED);
  });

  /** A draw of a loop's iteration, on this store. */
  const iteration = (loop: string, number: number) =>
    createDrawActivities({
      ...{ store: cars.store, home: join(folder, 'home'), root: ROOT, log: pino({ level: 'silent' }) },
    }).draw({ context: { ...contextOf('apply', loop), iteration: number }, results: {} });

  /** The loop's first iteration found what the scan of the pool found. */
  async function loopScanned(loop: string): Promise<void> {
    const record = await readScanRecord(cars.store, SCAN);
    assert.ok(record !== null);
    await updateLoopState(cars.store, loop, (state) =>
      withAttempt(state, 1, {
        ...{ runId: 'run-1', status: 'finished', error: null, results: { scan: record.result } },
        ...{ config: contextOf('apply').config, force: null, recordedAt: now().toISOString() },
      }),
    );
  }
});
