import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { z } from 'zod';
import { createLoopActivities } from '../../activities/loop.js';
import { isRecord } from '../../domain/base/isRecord.js';
import { loopConfigSchema } from '../../domain/config.js';
import { startLoopRequestSchema } from '../../domain/loop/startRequest.js';
import { emptyLoopState, withAttempt, withConfig, withProposal } from '../../domain/loop/state.js';
import { parseRequest } from '../../domain/settings/parse.js';
import type { StepContract } from '../../domain/stepContract.js';
import { STEPS, type StepResults } from '../../domain/steps.js';
import { findingRowSchema, indexRowSchema, scanImageRowSchema } from '../../domain/tables.js';
import { modelCardSchema } from '../../domain/train/modelCard.js';
import { runStep } from '../../steps/runStep.js';
import { resolveStart } from '../../steps/startRequest.js';
import { keys } from '../../storage/keys.js';
import { readLoopState, unknownSettings, updateLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readRegistry, registerBenchmark } from '../../storage/registry.js';
import { appendReviews, readReviews } from '../../storage/reviews.js';
import { findScan, poolScans } from '../../storage/scans.js';
import { sealed } from '../../storage/seal.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable, streamFile, writeTable, writeTableFile } from '../../storage/tables/table.js';
import { SCAN, scannedPool } from '../pool/review/scannedPool.js';
import { stepResult } from '../support/standIns/fakeActivities.js';

const config = loopConfigSchema.parse({ pool: 'cars', chunkSize: 10 });
const DIGEST = 'a'.repeat(64);
const model = { scan: 'scan.onnx', card: 'card.json', digest: DIGEST, loop: 'cars', iteration: 1 };
const scan = {
  ...stepResult('scan'),
  outputs: { images: 'images.parquet', findings: 'findings.parquet', summary: 'summary.json' },
};
const results: StepResults = { ...Object.fromEntries(STEPS.map((step) => [step, stepResult(step)])), scan };
/** Maps from names to values: their content is data, so that a later version adds no fields to them. */
const MAPS = new Set(['outputs', 'valClassIou']);

/** As the next version may write it: every object has a field more, every map of facts a fact of a new kind. */
function aged(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => aged(item));
  if (!isRecord(value)) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, aged(inner, field)]));
  return MAPS.has(name) ? fields : { ...fields, ofTheNextVersion: { kept: ['as it is'] } };
}

/** An object that holds its digest is written with that of its new content. */
function agedText(value: unknown): string {
  if (!isRecord(value) || !('files' in value && 'sha256' in value)) return JSON.stringify(aged(value));
  const { sha256: _, ...rest } = value;
  // The files of a commit are a list by name, not fields.
  return sealed({ ...z.record(z.string(), z.unknown()).parse(aged(rest)), files: rest.files });
}

async function ageObjects(store: ObjectStore): Promise<void> {
  for await (const { key } of store.list('')) {
    const text = new TextDecoder().decode((await store.get(key)).body);
    if (key.endsWith('.json')) await store.put(key, agedText(JSON.parse(text)));
    if (key.endsWith('.jsonl')) {
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.stringify(aged(JSON.parse(line))));
      await store.put(key, [...lines, JSON.stringify({ type: 'comment', text: 'new' })].join('\n'));
    }
  }
}

const TABLES: [RegExp, z.ZodObject][] = [
  [/segments\//, indexRowSchema],
  [/^images\.parquet$/, scanImageRowSchema],
  [/^findings\.parquet$/, findingRowSchema],
];

async function ageTables(store: ObjectStore): Promise<void> {
  for await (const { key } of store.list('')) {
    const schema = TABLES.find(([pattern]) => pattern.test(key))?.[1];
    if (schema === undefined || !key.endsWith('.parquet')) continue;
    const rows = (await readTable(store, key, schema)).map((row) => ({ ...row, ofTheNextVersion: 'x' }));
    await writeTable(store, key, rows, schema.extend({ ofTheNextVersion: z.string() }));
  }
}

/** A loop with one finished and one failed iteration over a scanned pool, as the next version left it. */
async function nextVersionStore(): Promise<ObjectStore> {
  const { store } = await scannedPool(3);
  const attempt = { error: null, results, config, force: null, recordedAt: '2026-01-01T00:00:00Z' };
  const settings = { lrHead: 0.001 };
  const state = [withAttempt(emptyLoopState('cars'), 1, { ...attempt, runId: 'run-1', status: 'finished' })]
    .map((one) => withAttempt(one, 2, { ...attempt, runId: 'run-2', status: 'failed', error: 'the disk is full' }))
    .map((one) => withProposal(withConfig(one, config), { iteration: 1, settings, miou: 0.6, ownMiou: 0.5 }))[0];
  await store.put(keys.loopState('cars'), JSON.stringify(state));
  const card = {
    ...{ version: 1, taxonomyDigest: DIGEST, classes: ['background', 'hood'], weightsSha256: DIGEST },
    input: { name: 'image', layout: 'NHWC', dtype: 'uint8', size: 64 },
    trainedOn: { list: null, digest: DIGEST },
    ...{ valMiou: 0.5, valClassIou: { hood: 0.5 }, files: { model: DIGEST, scan: DIGEST } },
    ...{ preset: 'efficientnet_lite0', imageSize: 64, iterations: 9, config: config.train },
  };
  await store.put('card.json', JSON.stringify(card));
  await registerBenchmark(store, DIGEST, model, 'first');
  await appendReviews(
    store,
    'cars',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    {
      ...{ type: 'import', at: '2026-01-01T00:00:00.000Z', reviewer: 'ann', scan: null, exportId: null },
      ...{ tableSha256: null, asked: [] },
    },
    [],
  );
  await ageObjects(store);
  await ageTables(store);
  return store;
}

describe('a store that the next version wrote', () => {
  const log = pino({ level: 'silent' });
  const loopsOf = (store: ObjectStore) =>
    // Nothing here reaches Temporal.
    createLoopActivities({
      store,
      log,
      home: tmpdir(),
      root: tmpdir(),
      client: new Client({ connection: Connection.lazy() }),
    });

  it('has readable loops, pools, scans, models and reviews', async () => {
    const store = await nextVersionStore();
    const pool = await openPool(store, 'cars');
    assert.equal((await pool.readIndex(await pool.latestVersion())).length, 3);
    const found = await findScan(store, SCAN);
    assert.equal((await readTable(store, found.findings, findingRowSchema)).length, 3);
    assert.equal((await readTable(store, found.images, scanImageRowSchema)).length, 3);
    assert.deepEqual(
      (await poolScans(store, 'cars')).map(({ id }) => id),
      ['cars:1', 'cars:2', SCAN],
    );
    assert.deepEqual(
      (await readLoopState(store, 'cars')).iterations.map(({ iteration }) => iteration),
      [1, 2],
    );
    assert.deepEqual((await readJson(store, 'card.json', modelCardSchema)).config, config.train);
    assert.deepEqual((await readRegistry(store, DIGEST)).model, model);
    assert.equal((await readReviews(store, 'cars')).imports.length, 1);
  });

  it('has loops that go on, with the settings that this version knows', async () => {
    const store = await nextVersionStore();
    const loops = loopsOf(store);
    const { next, config: own } = await loops.loadLoop({ loop: 'cars' });
    assert.equal(next, 2);
    assert.deepEqual(own, config, 'settings of the next version do nothing, so that no digest moves');
    assert.deepEqual((await unknownSettings(store, 'cars')).slice(0, 2), [
      'train.lossWeights.ofTheNextVersion',
      'train.augment.ofTheNextVersion',
    ]);
    const context = await loops.prepareIteration({ loop: 'cars', iteration: 2, config: own, from: null });
    assert.deepEqual(context.config, config);
    const request = parseRequest(startLoopRequestSchema, { pool: 'cars', iterations: 1, batchSize: 4 }, 'a start');
    assert.equal((await resolveStart({ store }, request)).config.train.batchSize, 4);
    assert.equal((await loops.adoptProposal({ loop: 'cars' })).settings.lrHead, 0.001);
    assert.equal((await readLoopState(store, 'cars')).config?.train.lrHead, 0.001);
  });

  it('keeps fields of the next version when this one writes over them', async () => {
    const store = await nextVersionStore();
    const read = async (key: string): Promise<unknown> => readJson(store, key, z.unknown());
    const before = await read(keys.loopState('cars'));
    await updateLoopState(store, 'cars', (state) => state);
    assert.deepEqual(await read(keys.loopState('cars')), before);

    const loops = loopsOf(store);
    const context = await loops.prepareIteration({ loop: 'cars', iteration: 2, config: null, from: null });
    await loops.recordIteration({ context, results, status: 'finished', error: null, runId: 'run-3' });
    const after = z
      .object({ iterations: z.array(z.object({ current: z.unknown(), others: z.array(z.unknown()) })) })
      .loose()
      .parse(await read(keys.loopState('cars')));
    const earlier = z.object({ iterations: z.array(z.object({ current: z.unknown() })) }).parse(before).iterations;
    assert.deepEqual(after.iterations[0]?.current, earlier[0]?.current);
    assert.deepEqual(after.iterations[1]?.others, [earlier[1]?.current], 'also where an attempt gave way to another');
    assert.deepEqual(after.ofTheNextVersion, { kept: ['as it is'] });

    const registry = await read(keys.benchmark(DIGEST));
    await registerBenchmark(store, DIGEST, { ...model, iteration: 2 }, 'better');
    const both = z.object({ history: z.array(z.unknown()), ofTheNextVersion: z.unknown() });
    const [first] = both.parse(registry).history;
    assert.deepEqual(both.parse(await read(keys.benchmark(DIGEST))).history[0], first);
  });

  it('has commits that this version finds', async () => {
    const { store } = await scannedPool(1);
    const context = { loop: 'cars', iteration: 1, config, previous: null, force: null };
    const part = {
      ...{ step: 'draw', version: 1, inputs: z.object({ a: z.number() }) },
      ...{ outputs: z.object({ chunk: z.string() }), facts: z.object({ drawn: z.number() }) },
    } as const satisfies StepContract;
    const work = async () => ({ outputs: { chunk: 'chunk.parquet' }, facts: { drawn: 3 } });
    const miss = await runStep(store, context, part, { a: 1 }, work);
    await ageObjects(store);
    assert.deepEqual(await runStep(store, context, part, { a: 1 }, work), { ...miss, outcome: 'hit' });
  });

  it('has tables whose extra columns are ignored', async () => {
    const path = join(tmpdir(), `partloop-column-${process.pid}.parquet`);
    const schema = z.object({ a: z.string() });
    try {
      await writeTableFile(path, 'parquet', [{ a: 'x', b: 1 }], schema.extend({ b: z.number() }));
      for await (const row of streamFile(path, 'a table', schema)) assert.deepEqual(row, { a: 'x' });
    } finally {
      await rm(path, { force: true });
    }
  });

  it('does not make people’s files accept unknown fields', () => {
    for (const request of [{ itterations: 3 }, { settings: { train: { lrHed: 1 } } }])
      assert.throws(() => parseRequest(startLoopRequestSchema, request, 'a start'), /there is no such field/);
  });
});
