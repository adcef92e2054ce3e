import assert from 'node:assert/strict';
import { appendFile, chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createTrainActivities } from '../../activities/train.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type IterationContext, iterationContextSchema, type StepResults } from '../../domain/steps.js';
import { type IndexRow, trainingRowSchema } from '../../domain/tables.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTable } from '../../storage/tables/table.js';
import type { Turn } from '../../training/checkpoints/chainState.js';
import { RECIPE_WAIT_MS, RecipePin } from '../../training/settings/recipe.js';
import { type MemoryStore, memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { attended } from './attended.js';
import { POOL, taxonomy, tinyImage } from './tinyPool.js';
import { hasCode } from './tinyRun.js';

/**
 * Stands in for Python: saves at iteration 3 and dies there if a file `die` lies beside it; else ends, and notes
 * the iteration at which it began.
 */
const STAND_IN = `#!/usr/bin/env node
const fs = require('node:fs'), path = require('node:path'), crypto = require('node:crypto');
const job = JSON.parse(fs.readFileSync(process.argv.at(-1), 'utf8'));
const sha = (text) => crypto.createHash('sha256').update(text).digest('hex');
const say = (message) => process.stdout.write(JSON.stringify({ v: 1, ...message }) + '\\n');
const folder = path.join(job.workDir, 'checkpoints');
const there = fs.readdirSync(folder).filter((name) => name.endsWith('.pt'));
fs.appendFileSync(path.join(__dirname, 'starts.jsonl'), JSON.stringify(there) + '\\n');
if (fs.existsSync(path.join(__dirname, 'die'))) {
  fs.writeFileSync(path.join(folder, '00000003.pt'), 'weights');
  fs.writeFileSync(path.join(folder, '00000003.json'), JSON.stringify({ iteration: 3, sha256: sha('weights') }));
  say({ type: 'checkpoint', iteration: 3, path: 'checkpoints/00000003.pt', sha256: sha('weights') });
  say({ type: 'error', code: 'internal', message: 'boom', hint: '' });
  process.exitCode = 70;
  return;
}
const files = ['model.onnx', 'scan.onnx', 'weights.pt'];
for (const name of files) fs.writeFileSync(path.join(job.workDir, name), name);
fs.writeFileSync(path.join(job.workDir, 'result.json'), JSON.stringify({ iterations: job.settings.iterations, seconds: 1, valMiou: null,
  perClassIou: {}, weightsSha256: sha('w'), files: Object.fromEntries(files.map((name) => [name, sha(name)])) }));
`;

describe('the recipe of a training', () => {
  let home: string;
  let interpreter: string | undefined;
  let store: MemoryStore;
  let images: IndexRow[];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-recipe-'));
    interpreter = process.env.PARTLOOP_PYTHON;
    process.env.PARTLOOP_PYTHON = join(home, 'stand-in');
    await writeFile(process.env.PARTLOOP_PYTHON, STAND_IN);
    await chmod(process.env.PARTLOOP_PYTHON, 0o755);
    store = memoryStore();
    await store.put(keys.taxonomy(POOL), JSON.stringify(taxonomy));
    images = await Promise.all([0, 1, 2].map((index) => tinyImage(store, index)));
    await (await openPool(store, POOL)).append(() => images);
  });
  afterEach(async () => {
    if (interpreter === undefined) delete process.env.PARTLOOP_PYTHON;
    else process.env.PARTLOOP_PYTHON = interpreter;
    await rm(home, { recursive: true, force: true });
  });

  it('keeps the digest of its first sources, so that older commits are still found', async () => {
    const { digest } = await trainWith(await build('first'));
    const commit = JSON.parse(
      new TextDecoder().decode((await store.get(keys.commit('tiny', 1, 'train', digest))).body),
    );
    // The digest of trainer/ as that build had it: commits and checkpoints in stores have it in their names.
    assert.equal(commit.inputs.trainer, 'd7fbef90e994127da05c1e91473e42dd1d5697ecc3e9c1ed346e10a9edb778a0');
  });

  it('is the same in a build with another comment, which finds finished work and resumes the rest', async () => {
    await begin(await build('first'));
    const other = await build('second');
    await appendFile(join(other, 'trainer', 'partloop_trainer', 'train.py'), '\n# another comment\n');
    assert.equal((await trainWith(other)).outcome, 'miss');
    assert.deepEqual((await starts()).at(-1), ['00000003.pt']);
    assert.equal((await trainWith(await build('third'))).outcome, 'hit');
  });

  it('stops a worker with another recipe, which later finds the result of the right one', async () => {
    await begin(await build('first'));
    const other = await build('second', 2);
    await assert.rejects(trainWith(other), (error: unknown) => {
      assert.ok(hasCode('recipe-mismatch')(error) && error instanceof PartloopError);
      assert.match(error.message, /began with recipe 1 and has a checkpoint; the trainer of \S+ has recipe 2/);
      assert.match(error.hint ?? '', /waits for another worker until .*recipe 2: `partloop iteration replay tiny 1/);
      return true;
    });
    const done = await trainWith(await build('third'));
    assert.deepEqual((await starts()).at(-1), ['00000003.pt'], 'nothing is lost by the wait');
    assert.deepEqual({ ...(await trainWith(other)), outcome: 'miss' }, done);
  });

  it('does not bind a replay, which trains again with the present recipe', async () => {
    await begin(await build('first'));
    const replay = { ...context(), force: { from: 'train' as const, token: 'again' } };
    assert.equal((await trainWith(await build('second', 2), replay)).outcome, 'forced');
    assert.deepEqual((await starts()).at(-1), []);
  });

  it('may change while nothing is saved, and the earlier attempt then publishes nothing', async () => {
    const old = await pin(1, 'old');
    const young = await pin(2, 'young');
    await assert.rejects(old.keep(), hasCode('fenced'));
    await young.keep();
    await assert.rejects(pin(1, 'third'), hasCode('recipe-mismatch'));
  });

  it('waits an hour for its worker before it asks a person, and again after each request', async () => {
    await (await pin(1, 'first')).keep();
    const start = Date.now();
    const refused = (ms: number, generation: string, code: string): Promise<void> =>
      assert.rejects(pin(2, 'other', generation, start + ms), hasCode(code));
    await refused(0, 'first request', 'recipe-mismatch');
    await refused(RECIPE_WAIT_MS - 1, 'first request', 'recipe-mismatch');
    await refused(RECIPE_WAIT_MS, 'first request', 'checkpoint-incompatible');
    await refused(RECIPE_WAIT_MS, 'second request', 'recipe-mismatch');
    await pin(1, 'right one', 'second request');
    await refused(3 * RECIPE_WAIT_MS, 'second request', 'recipe-mismatch');
  });

  it('does not pass from a newer try to an older one whose host was cut off', async () => {
    const young = await pin(1, 'young', 'first request', Date.now(), { activity: '7', attempt: 2 });
    await assert.rejects(pin(1, 'old', 'first request', Date.now(), { activity: '7', attempt: 1 }), hasCode('fenced'));
    await young.keep();
  });

  const pin = (
    version: number,
    attempt: string,
    generation = 'first request',
    now = Date.now(),
    turn: Turn | null = null,
  ): Promise<RecipePin> =>
    RecipePin.claim(store, 'pin.json', {
      own: { version, key: `recipe-${version}` },
      attempt,
      generation,
      turn,
      commands: attended().commands,
      now,
    });

  /** An installation with a trainer of its own. */
  async function build(name: string, version?: number): Promise<string> {
    const root = join(home, name);
    const trainer = join(root, 'trainer', 'partloop_trainer');
    await cp(join(process.cwd(), 'trainer', 'partloop_trainer'), trainer, { recursive: true });
    if (version !== undefined)
      await writeFile(join(trainer, 'recipe.json'), JSON.stringify({ version, key: `recipe-${version}`, sources: '' }));
    return root;
  }

  /** Train up to a checkpoint, on another machine. */
  async function begin(root: string): Promise<void> {
    await writeFile(join(home, 'die'), '');
    await assert.rejects(trainWith(root), hasCode('trainer-failed'));
    await rm(join(home, 'die'));
  }

  async function trainWith(root: string, iteration = context()) {
    const at = await mkdtemp(join(home, 'home-'));
    const { train } = createTrainActivities({ store, home: at, root, log: pino({ level: 'silent' }) });
    return train({ context: iteration, results: await results() });
  }

  async function results(): Promise<StepResults> {
    const rows = images.map((row) => ({ ...row, cluster: row.imageId, pickedIn: 1 }));
    await writeTable(store, 'set.parquet', rows, trainingRowSchema);
    return {
      draw: stepResult('draw', {}, { poolVersion: 1 }),
      sample: stepResult('sample', { trainingSet: 'set.parquet' }),
    };
  }

  function context(): IterationContext {
    const train = { iterations: 9, batchSize: 2, imageSize: 64, checkpointEvery: 3, threads: 1 };
    return iterationContextSchema.parse({
      loop: 'tiny',
      iteration: 1,
      config: { pool: POOL, train },
      previous: null,
      force: null,
    });
  }

  const starts = async (): Promise<string[][]> =>
    (await readFile(join(home, 'starts.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
});
