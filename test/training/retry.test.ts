import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { PartloopError } from '../../domain/base/errors.js';
import { attended } from './attended.js';
import { CHAIN, hasCode, python, script, type TinyRun, tinyRun, train } from './tinyRun.js';

/** All with the real trainer: eight iterations, a checkpoint after every second one. */
describe('a training whose trainer or checkpoints are lost', function () {
  this.timeout(240_000);
  let home: string;
  let interpreter: string | undefined;
  let undisturbed: unknown;

  before(async function () {
    if (!existsSync(python)) {
      console.log(`      no Python at ${python}: set PARTLOOP_PYTHON or run npm run bootstrap`);
      this.skip();
    }
    home = await mkdtemp(join(tmpdir(), 'partloop-retry-'));
    undisturbed = (await train(await tinyRun(), home)).work.facts.weightsSha256;
  });
  beforeEach(() => {
    interpreter = process.env.PARTLOOP_PYTHON;
  });
  afterEach(() => {
    if (interpreter === undefined) delete process.env.PARTLOOP_PYTHON;
    else process.env.PARTLOOP_PYTHON = interpreter;
  });
  after(() => home && rm(home, { recursive: true, force: true }));

  it('gives up after two deaths without a checkpoint, and resumes from the newest one on request', async () => {
    const run = await tinyRun();
    await trainUntil(run, 4);
    process.env.PARTLOOP_PYTHON = await script(home, 'echo "no room left" >&2; echo "printed to stdout"; kill -9 $$');
    const lines: string[] = [];
    const logger = pino(new Writable({ write: (chunk, _, done) => done(void lines.push(String(chunk))) }));
    await assert.rejects(attempt(run, 'deaths', { logger }), hasCode('trainer-failed'));
    assert.match(lines.join(''), /no room left.*printed to stdout/s);
    await assert.rejects(attempt(run, 'deaths'), (error: unknown) => {
      assert.ok(hasCode('no-progress')(error) && error instanceof PartloopError);
      assert.match(error.message, /failed 2 times without a new checkpoint after iteration 4.*no room left/s);
      assert.match(error.hint ?? '', /`partloop loop retry tiny`: it goes on from iteration 4/);
      return true;
    });
    process.env.PARTLOOP_PYTHON = python;
    await assert.rejects(attempt(run, 'deaths'), hasCode('no-progress'), 'retries of the server change nothing');
    const started: number[] = [];
    const again = { ...run, ...attended('second request') };
    const { work } = await train(again, join(home, 'again'), { onStart: (iteration) => started.push(iteration) });
    assert.deepEqual(started, [4]);
    assert.equal(work.facts.weightsSha256, undisturbed);
  });

  it('saves more often after a death without a checkpoint', async () => {
    const run = await tinyRun();
    run.config = { ...run.config, checkpointEvery: 20 };
    const seen = join(home, 'jobs');
    process.env.PARTLOOP_PYTHON = await script(home, `grep checkpointEvery job.json >> ${seen}; kill -9 $$`);
    for (const code of ['trainer-failed', 'no-progress']) await assert.rejects(attempt(run, 'often'), hasCode(code));
    assert.deepEqual((await readFile(seen, 'utf8')).match(/\d+/g), ['20', '2']);
  });

  it('goes on from the checkpoints of the unfinished run in a replay, and leaves them in place', async () => {
    const run = await tinyRun();
    await trainUntil(run, 4);
    const before = run.store.keys.filter((key) => key.endsWith('.pt'));
    const replay = { ...run, chainKey: 'replay/latest.json', unforcedChainKey: CHAIN };
    const started: number[] = [];
    const { work } = await train(replay, join(home, 'replay'), { onStart: (iteration) => started.push(iteration) });
    assert.deepEqual(started, [4]);
    assert.equal(work.facts.weightsSha256, undisturbed);
    assert.deepEqual(
      before.filter((key) => !run.store.keys.includes(key)),
      [],
    );
  });

  it('falls back to the newest whole checkpoint, and names bad ones and the iterations to repeat', async () => {
    const run = await tinyRun();
    // One by one: of checkpoints that wait for the store only the newest is kept.
    for (const iteration of [2, 4, 6]) await trainUntil(run, iteration);
    const [newest, second] = await checkpoints(run);
    assert.ok(newest !== undefined && second !== undefined);
    const whole = await run.store.get(newest.key);
    await run.store.put(newest.key, whole.body.slice(0, whole.body.length - 100));
    await run.store.delete([second.key]);
    const lines: string[] = [];
    const logger = pino(new Writable({ write: (chunk, _, done) => done(void lines.push(String(chunk))) }));
    const beats: unknown[] = [];
    const { work } = await train(run, join(home, 'fallback'), { logger, onBeat: (details) => beats.push(details) });
    assert.equal(work.facts.weightsSha256, undisturbed);
    assert.deepEqual([work.facts.lostCheckpoints, work.facts.lostIterations], [2, 4]);
    assert.match(lines.join(''), /iterations 6 \(\S+ is damaged\), 4 \(\S+ is missing\).* goes on from iteration 2/);
    assert.ok(beats.some((beat) => JSON.stringify(beat).includes('4 iterations are trained again')));
    const stored = await checkpoints(run);
    assert.equal(stored[0]?.iteration, 8);
    assert.deepEqual(
      stored.filter(({ key }) => key === newest.key || key === second.key),
      [],
      'no bad checkpoint stays in the list',
    );
    assert.ok(
      stored.every(({ key }) => run.store.keys.includes(key)),
      'nothing names what is not there',
    );
  });

  it('does not silently start at 0 if every checkpoint is lost, but does so on request', async () => {
    const run = await tinyRun();
    for (const iteration of [2, 4]) await trainUntil(run, iteration);
    for (const { key } of await checkpoints(run)) await run.store.put(key, 'damaged');
    await assert.rejects(attempt(run, 'all-lost'), (error: unknown) => {
      assert.ok(hasCode('data-invalid')(error) && error instanceof PartloopError);
      assert.match(error.message, /every checkpoint .* 4 \(\S+ is damaged\), 2 \(/);
      assert.match(error.hint ?? '', /`partloop loop retry tiny`.*`partloop iteration replay tiny 1 --from train`/);
      return true;
    });
    const started: number[] = [];
    const replay = { ...run, chainKey: 'replay/latest.json', unforcedChainKey: CHAIN };
    const { work } = await train(replay, join(home, 'anew'), { onStart: (iteration) => started.push(iteration) });
    assert.deepEqual(started, [0]);
    assert.equal(work.facts.weightsSha256, undisturbed);
  });

  /** Trained elsewhere up to a checkpoint of this iteration in the store, and stopped there. */
  async function trainUntil(run: TinyRun, iteration: number): Promise<void> {
    const stop = new AbortController();
    run.stopAfter = iteration;
    await assert.rejects(
      train(run, await mkdtemp(join(home, 'before-')), {
        signal: stop.signal,
        onIteration: (done) => {
          if (done >= iteration) stop.abort(new Error('stopped'));
        },
      }),
    );
    delete run.stopAfter;
    assert.equal((await checkpoints(run))[0]?.iteration, iteration);
  }

  const attempt = (run: TinyRun, folder: string, options = {}) => train(run, join(home, folder), options);

  async function checkpoints(run: TinyRun): Promise<{ iteration: number; key: string }[]> {
    return JSON.parse(new TextDecoder().decode((await run.store.get(CHAIN)).body)).checkpoints;
  }
});
