import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { PartloopError } from '../../domain/base/errors.js';
import { trainConfigSchema } from '../../domain/config.js';
import type { IndexRow } from '../../domain/tables.js';
import { trainingListSchema } from '../../domain/train/modelCard.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { publishModel } from '../../training/results.js';
import { runTraining } from '../../training/run.js';
import type { TrainingRun } from '../../training/trainingRun.js';
import { CRASH_MARK, markedPicture, withFaultyChildren } from '../support/pictures/crashSharp.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { attended } from './attended.js';
import { POOL, taxonomy, tinyImage } from './tinyPool.js';

const root = process.cwd();
const python = process.env.PARTLOOP_PYTHON ?? join(root, '.venv/bin/python');
const IMAGES = 12;

/**
 * Stands in for Python: refuses the images that `refused.json` names, and else leaves what a finished trainer leaves.
 */
const STAND_IN = `#!/usr/bin/env node
const fs = require('node:fs'), path = require('node:path'), crypto = require('node:crypto');
const job = JSON.parse(fs.readFileSync(process.argv.at(-1), 'utf8'));
const ids = (file) => file === null ? [] : fs.readFileSync(file, 'utf8').trim().split('\\n').map((line) => JSON.parse(line).imageId);
fs.appendFileSync(path.join(__dirname, 'runs.jsonl'), JSON.stringify({ train: ids(job.train), val: ids(job.val) }) + '\\n');
const refused = JSON.parse(fs.readFileSync(path.join(__dirname, 'refused.json'), 'utf8')).filter((id) => ids(job.train).includes(id));
if (refused.length > 0) {
  const images = refused.map((imageId) => ({ imageId, reason: 'image file is truncated' }));
  console.log(JSON.stringify({ v: 1, type: 'error', code: 'data-unusable', message: 'an image is truncated', hint: '', images }));
  process.exit(3);
}
const sha = (text) => crypto.createHash('sha256').update(text).digest('hex');
const files = ['model.onnx', 'scan.onnx', 'weights.pt'];
for (const name of files) fs.writeFileSync(path.join(job.workDir, name), name);
fs.writeFileSync(path.join(job.workDir, 'result.json'), JSON.stringify({ iterations: 1, seconds: 1, valMiou: 0.5, perClassIou: {},
  weightsSha256: sha('w'), files: Object.fromEntries(files.map((name) => [name, sha(name)])) }));
`;

describe('bad images in a training', function () {
  this.timeout(240_000);
  let s3: TestStore;
  let home: string;
  let interpreter: string | undefined;
  let store: ObjectStore;
  let rows: IndexRow[];

  before(async () => {
    s3 = await startTestStore();
  });
  after(() => s3.stop());
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-bad-'));
    store = s3.open(randomUUID());
    rows = [];
    for (let index = 0; index < IMAGES; index++) rows.push(await tinyImage(store, index));
    interpreter = process.env.PARTLOOP_PYTHON;
    process.env.PARTLOOP_PYTHON = join(home, 'stand-in');
    await writeFile(process.env.PARTLOOP_PYTHON, STAND_IN);
    await chmod(process.env.PARTLOOP_PYTHON, 0o755);
    await refuse([]);
  });
  afterEach(async () => {
    if (interpreter === undefined) delete process.env.PARTLOOP_PYTHON;
    else process.env.PARTLOOP_PYTHON = interpreter;
    await rm(home, { recursive: true, force: true });
  });

  it('are left out of training and validation with their reasons, whatever is wrong with them', async () => {
    const [gone, changed, torn, paired] = rows as [IndexRow, IndexRow, IndexRow, IndexRow];
    await store.delete([gone.imageUri]);
    await store.put(changed.imageUri, (await store.get(torn.imageUri)).body);
    const short = await truncated(torn);
    const wrongLabel = await relabelled(paired, await encodeLabel(new Uint8Array(64 * 48).fill(9), 64, 48));
    const train = [gone, changed, ...rows.slice(4)];
    const { work, json } = await runOn({ train, val: [short, wrongLabel, ...rows.slice(4, 10)], badImageShare: 0.3 });
    assert.deepEqual(
      [work.facts.images, work.facts.leftOut, work.facts.valLeftOut, work.facts.leftOutWhy],
      [8, 2, 2, '1 gone, 1 changed, 2 unreadable'],
    );
    const leftOut = Object(await json(work.outputs.leftOut));
    const told = (images: { fileName: string; kind: string; reason: string }[]) =>
      images.map(({ fileName, kind, reason }) => `${fileName} ${kind} ${reason}`).sort();
    assert.match(told(leftOut.train)[0] ?? '', /^0.png gone .*there is no object/);
    assert.match(told(leftOut.train)[1] ?? '', /^1.png changed .*changed since it was imported/);
    assert.match(told(leftOut.val)[0] ?? '', /^2.png unreadable .*cannot be decoded/);
    assert.match(told(leftOut.val)[1] ?? '', /^3.png unreadable .*value 9; the taxonomy ends at 2/);
    const [run] = await runs();
    assert.deepEqual(run?.train, ids(rows.slice(4)));
    assert.deepEqual(run?.val, ids(rows.slice(4, 10)));
    const { images } = trainingListSchema.parse(await json(work.outputs.trainingList));
    assert.deepEqual(
      images.map(({ imageId }) => imageId).sort(),
      ids(rows.slice(4)),
      'what it never saw, it may judge',
    );
  });

  it('end the training above the share, before the trainer starts', async () => {
    await store.delete(rows.slice(0, 4).map((row) => row.imageUri));
    await assert.rejects(
      runOn({ train: rows }),
      (error: unknown) =>
        error instanceof PartloopError &&
        error.code === 'data-invalid' &&
        /^4 of 12 training images/.test(error.message),
    );
    assert.deepEqual(await runs(), []);
  });

  it('are left out by name if they crash the decoder, and count for the share', async () => {
    const enders = await Promise.all([1, 2].map((n) => ending(rows[n] as IndexRow, n)));
    const train = [...rows.slice(0, 1), ...enders, ...rows.slice(3)];
    await withFaultyChildren(async () => {
      const { work, json } = await runOn({ train });
      assert.deepEqual([work.facts.images, work.facts.leftOut], [IMAGES - 2, 2]);
      const leftOut = Object(await json(work.outputs.leftOut)).train as { fileName: string; reason: string }[];
      const told = leftOut.map(({ reason }) => reason).sort();
      assert.deepEqual(
        told,
        [1, 2].map((n) => `${n}.png ended the process that decoded it 3 times (SIGSEGV)`),
      );
      await store.delete(['runs/left-out.json']);
      await assert.rejects(
        runOn({ train, badImageShare: 0 }),
        (error: unknown) =>
          error instanceof PartloopError &&
          error.code === 'data-invalid' &&
          /^2 of 12 training images .*\(2 unreadable\)/.test(error.message),
      );
    });
  });

  it('are not counted while the store is away', async () => {
    const away: ObjectStore = Object.assign(Object.create(store), {
      get: async (key: string, etag?: string) => {
        if (key === rows[3]?.imageUri) throw new PartloopError('store-unavailable', 'the store did not answer');
        return store.get(key, etag);
      },
    });
    await assert.rejects(
      runOn({ train: rows, store: away }),
      (error: unknown) => error instanceof PartloopError && error.code === 'store-unavailable',
    );
    const { work } = await runOn({ train: rows });
    assert.deepEqual([work.facts.images, work.facts.leftOut, work.facts.leftOutWhy], [IMAGES, 0, null]);
  });

  it('stay out in every attempt, even if they are back, and later ones start a list of their own', async () => {
    const lost = rows[0] as IndexRow;
    const body = (await store.get(lost.imageUri)).body;
    await store.delete([lost.imageUri]);
    await runOn({ train: rows });
    await store.put(lost.imageUri, body);
    const again = await runOn({ train: rows });
    assert.equal(again.work.facts.leftOut, 1);

    // Another machine: nothing of it is cached there.
    await rm(join(home, 'cache'), { recursive: true });
    await store.delete([(rows[1] as IndexRow).imageUri]);
    const third = await runOn({ train: rows });
    assert.equal(third.work.facts.leftOut, 2);
    assert.deepEqual(
      (await runs()).map(({ train }) => train.length),
      [IMAGES - 1, IMAGES - 1, IMAGES - 2],
    );
    assert.equal(new Set([again.chain, third.chain]).size, 2, 'checkpoints of another list are not gone on from');
  });

  it('are fetched again if the trainer refuses them, and left out if it refuses them twice', async () => {
    const bad = rows[5] as IndexRow;
    await refuse([bad.imageId]);
    const { work, json } = await runOn({ train: rows });
    assert.deepEqual([work.facts.images, work.facts.leftOut], [IMAGES - 1, 1]);
    assert.deepEqual(
      (await runs()).map(({ train }) => train.length),
      [IMAGES, IMAGES, IMAGES - 1],
    );
    const { train } = Object(await json(work.outputs.leftOut));
    assert.deepEqual([train[0].fileName, train[0].reason], ['5.png', 'image file is truncated']);
    assert.deepEqual(await readdir(join(home, 'work')), [], 'no work folder of the list before is left');
  });

  it('are repaired if only the copy on this disk is torn, also with the real trainer', async function () {
    if (!existsSync(python)) {
      console.log(`      no Python at ${python}: set PARTLOOP_PYTHON or run npm run bootstrap`);
      this.skip();
    }
    await runOn({ train: rows });
    process.env.PARTLOOP_PYTHON = python;
    const path = join(home, 'cache', keys.derivativeImage(POOL, 80, (rows[4] as IndexRow).imageId));
    await writeFile(path, (await readFile(path)).subarray(0, 10));
    await store.delete([(rows[2] as IndexRow).imageUri]);
    await rm(join(home, 'cache', keys.derivativeImage(POOL, 80, (rows[2] as IndexRow).imageId)));
    const { work } = await runOn({ train: rows, val: rows.slice(6, 8) });
    assert.deepEqual([work.facts.images, work.facts.leftOut, work.facts.iterations], [IMAGES - 1, 1, 2]);
  });

  async function runOn({ train, val = [], badImageShare = 0.01, store: over = store }: Asked) {
    const token = randomUUID();
    const attempt = {
      token,
      digest: 'd'.repeat(64),
      unforced: null,
      store: over,
      key: (file: string) => `runs/${token}/${file}`,
    };
    let chain = '';
    const run: TrainingRun = {
      pool: POOL,
      taxonomy,
      taxonomyDigest: 'a'.repeat(64),
      train,
      val,
      trainingSetDigest: 'b'.repeat(64),
      config: trainConfigSchema.parse({ iterations: 2, batchSize: 2, imageSize: 64, checkpointEvery: 2, threads: 1 }),
      seed: 5,
      evaluationSize: 64,
      list: { images: train.map(({ imageId }) => ({ imageId, vehicleId: null, cluster: imageId })) },
      warmStart: null,
      publishWeights: false,
      chainKey: 'runs/latest.json',
      unforcedChainKey: null,
      ...attended(),
      leftOutKey: 'runs/left-out.json',
      badImageShare,
      leftOut: { train: [], val: [] },
      variant: null,
    };
    const deps = { store: over, home, root, log: pino({ level: 'silent' }) };
    const beat = { signal: new AbortController().signal, report: () => undefined };
    const work = await runTraining(deps, run, attempt, beat, (ended) => {
      chain = ended.run.chainKey;
      return publishModel(store, ended);
    });
    const json = async (key = ''): Promise<unknown> =>
      JSON.parse(new TextDecoder().decode((await store.get(key)).body));
    return { work, json, chain };
  }

  async function truncated(row: IndexRow): Promise<IndexRow> {
    const bytes = (await store.get(row.imageUri)).body.subarray(0, 90);
    const imageId = sha(bytes);
    await store.put(keys.image(POOL, imageId), bytes);
    return { ...row, imageId, imageUri: keys.image(POOL, imageId) };
  }

  /** A picture that the faulty library of `withFaultyChildren` cannot bear. */
  async function ending(row: IndexRow, n: number): Promise<IndexRow> {
    const bytes = await markedPicture(CRASH_MARK, n);
    const label = await encodeLabel(new Uint8Array(64 * 64).fill(1), 64, 64);
    await store.put(keys.image(POOL, sha(bytes)), bytes);
    const image = { imageId: sha(bytes), imageUri: keys.image(POOL, sha(bytes)), height: 64 };
    return { ...(await relabelled(row, label)), ...image };
  }

  async function relabelled(row: IndexRow, bytes: Uint8Array): Promise<IndexRow> {
    await store.put(keys.label(POOL, sha(bytes)), bytes);
    return { ...row, labelSha256: sha(bytes), labelUri: keys.label(POOL, sha(bytes)) };
  }

  const refuse = (images: string[]): Promise<void> => writeFile(join(home, 'refused.json'), JSON.stringify(images));

  async function runs(): Promise<{ train: string[]; val: string[] }[]> {
    const text = await readFile(join(home, 'runs.jsonl'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
});

interface Asked {
  train: IndexRow[];
  val?: IndexRow[];
  badImageShare?: number;
  store?: ObjectStore;
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const ids = (rows: readonly IndexRow[]): string[] => rows.map((row) => row.imageId).sort();
