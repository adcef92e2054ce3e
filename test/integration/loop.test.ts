import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { scanSetupOf } from '../../inference/scan/scanSetup.js';
import { readShard } from '../../inference/scan/shardObject.js';
import { trialWarnings } from '../../inference/scan/tryJudges.js';
import { committedFile } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { storeOfHome } from '../chaos/home.js';
import { partloop, partloopJson } from '../support/cli.js';
import { flipped } from '../support/pictures/flipped.js';
import { carStack } from '../support/servers/carStack.js';

const statusSchema = z.looseObject({
  phase: z.string(),
  nextIteration: z.number(),
  error: z.string().nullable(),
  rows: z.array(
    z.looseObject({
      iteration: z.number(),
      status: z.string(),
      drawn: z.number(),
      trainingSet: z.number(),
      miou: z.number(),
    }),
  ),
});
const resultSchema = z.looseObject({
  outcome: z.string(),
  digest: z.string(),
  outputs: z.record(z.string(), z.string()),
  facts: z.record(z.string(), z.unknown()),
});
const iterationSchema = z.looseObject({
  current: z.looseObject({ results: z.record(z.string(), resultSchema) }),
  others: z.array(z.looseObject({ results: z.record(z.string(), resultSchema) })),
});

const LOOP_MS = 6 * 60_000;
const LOOP = [
  'loop',
  'start',
  'tiny',
  '--pool',
  'tiny',
  '--chunk-size',
  '12',
  '--sample-share',
  '0.5',
  '--image-size',
  '64',
];
const TRAINING = ['--train-iterations', '6', '--batch-size', '4', '--seed', '1', '--set', 'evaluationSize=64'];

/** The objects that steps leave for one another. */
const OUTPUTS = [
  ...['draw chunk.parquet', 'draw drawn.json', 'draw missing.json', 'plan plan.json', 'plan rows-n.parquet'],
  ...['plan n.json.gz', 'plan judges.json', 'fold scan.onnx', 'fold model.json', 'fold training-list.json'],
  ...['scan images.parquet', 'scan findings.parquet', 'scan summary.json', 'sample sample.parquet'],
  ...['sample training-set.parquet', 'sample comparison.json', 'train scan.onnx', 'train model.json'],
  ...['train weights.pt', 'evaluation images.parquet', 'evaluation summary.json', 'decide decision.json'],
  'report index.html',
];
const isNamed =
  (key: string) =>
  (error: unknown): boolean =>
    error instanceof PartloopError && error.code === 'data-invalid' && error.message.startsWith(`${key} is damaged`);

/** The content of an object that holds its own digest; null for any other. */
async function readSealed(store: ObjectStore, key: string): Promise<unknown> {
  if (/\/shards\//.test(key)) return readShard(store, key);
  if (/\/setups\//.test(key)) return scanSetupOf(store, { setupKey: key, shard: 0 });
  return /\/judges\.json$/.test(key) ? trialWarnings(store, key) : null;
}

describe('the whole loop on the local stack', function () {
  this.timeout(LOOP_MS);
  let home: string;
  let remove = async (): Promise<void> => undefined;

  before(async () => {
    ({ home, remove } = await carStack('tiny', { seed: 5, counts: { train: 24, val: 4, test: 8, interior: 2 } }));
  });
  after(() => remove());

  it('runs two iterations with one call, each adding its picks to the training set', async () => {
    const { phase, error, rows } = statusSchema.parse(
      await partloopJson(home, [...LOOP, ...TRAINING, '--iterations', '2', '--wait']),
    );
    assert.equal(phase, 'idle', error ?? '');
    assert.deepEqual(
      rows.map(({ iteration, status, drawn }) => [iteration, status, drawn]),
      [
        [1, 'finished', 12],
        [2, 'finished', 12],
      ],
    );
    const [first, second] = rows;
    assert.ok((first?.trainingSet ?? 0) > 0 && (second?.trainingSet ?? 0) > (first?.trainingSet ?? 0));
  });

  it('leaves no object in which a flipped bit would go unnoticed', async () => {
    const store = await storeOfHome(home);
    const seen = new Set<string>();
    const objects: string[] = [];
    for (const prefix of ['loops/tiny/iterations/', 'evaluations/'])
      for await (const { key } of store.list(prefix)) objects.push(key);
    for (const key of objects) {
      // Checkpoints are not outputs: their chain holds their digests.
      if (key.endsWith('/commit.json') || key.includes('/checkpoints/') || committedFile(key) === null) continue;
      const { body } = await store.get(key);
      // Shards, setups and trials of judges hold their digest themselves: a bit of its name may go, but never one of
      // their content.
      const said = await readSealed(store, key);
      await store.put(key, flipped(body, randomInt(8 * body.length)));
      const step = committedFile(key)?.of?.step ?? 'evaluation';
      if (said === null) await assert.rejects(store.get(key), isNamed(key), key);
      else
        await readSealed(store, key).then(
          (now) => assert.deepEqual(now, said),
          (error: unknown) => assert.ok(String(error).includes(key)),
        );
      await store.put(key, body);
      seen.add(`${step} ${key.replace(/.*\//, '').replace(/\d+/, 'n')}`);
    }
    for (const output of OUTPUTS) assert.ok(seen.has(output), `${output} is not among ${[...seen].sort().join(', ')}`);
  });

  it('leaves a report that needs no other file', async () => {
    const { file } = z.looseObject({ file: z.string() }).parse(await partloopJson(home, ['report', 'open', 'tiny']));
    const html = await readFile(file, 'utf8');
    assert.match(html, /<svg/);
    assert.doesNotMatch(html, /src="https?:|<link\b/);
    const links = [...html.matchAll(/<(\w+)[^>]*\bhref="(https?:[^"]*)"/g)].map(([, tag, to]) => `${tag} ${to}`);
    assert.ok(links.length > 0);
    for (const link of links) assert.match(link, /^a http:\/\/127\.0\.0\.1:\d+\/(review|loops)\//);
  });

  it('finds the steps before a replay done, and does the others again', async () => {
    const before = iterationSchema.parse(await partloopJson(home, ['iteration', 'show', 'tiny', '2'])).current.results;
    const replay = await partloop(home, ['iteration', 'replay', 'tiny', '2', '--from', 'decide', '--wait', '--json']);
    assert.equal(replay.code, 0, replay.stderr);
    const { current, others } = iterationSchema.parse(await partloopJson(home, ['iteration', 'show', 'tiny', '2']));
    assert.deepEqual(
      ['draw', 'scan', 'sample', 'train', 'evaluate'].map((step) => current.results[step]?.outcome),
      Array(5).fill('hit'),
    );
    assert.equal(current.results.train?.digest, before.train?.digest);
    assert.equal(current.results.decide?.outcome, 'forced');
    assert.equal(others.length, 1);
  });

  it('adds a control to a finished iteration, and keeps all that is done', async () => {
    const shown = ['iteration', 'show', 'tiny', '2'];
    const before = iterationSchema.parse(await partloopJson(home, shown)).current.results;
    const asked = ['iteration', 'replay', 'tiny', '2', '--from', 'control', '--set', 'sample.controlArm=true'];
    const replay = await partloop(home, [...asked, '--wait', '--json']);
    assert.equal(replay.code, 0, replay.stderr);
    const { results } = iterationSchema.parse(await partloopJson(home, shown)).current;
    for (const step of ['draw', 'scan', 'sample', 'train', 'evaluate', 'decide'])
      assert.deepEqual([results[step]?.outcome, results[step]?.digest], ['hit', before[step]?.digest], step);
    const { gain, lower, upper, why } = z
      .object({ gain: z.number(), lower: z.number(), upper: z.number(), why: z.null() })
      .loose()
      .parse(results.control?.facts);
    assert.ok(lower <= gain && gain <= upper && why === null);
    const { file } = z.looseObject({ file: z.string() }).parse(await partloopJson(home, ['report', 'open', 'tiny']));
    assert.match(await readFile(file, 'utf8'), /Gain over random/);
  });

  it('waits for images if the pool has none left, and says so', async () => {
    const { code, stdout } = await partloop(home, [...LOOP, ...TRAINING, '--iterations', '1', '--wait', '--json']);
    const { phase, rows } = statusSchema.parse(JSON.parse(stdout));
    assert.deepEqual([phase, rows.length], ['waiting for images', 2]);
    assert.equal(code, 5);
  });

  it('refuses a pool that does not exist, with an exit code and the names of existing pools', async () => {
    const { code, stderr } = await partloop(home, ['loop', 'start', '--pool', 'nowhere']);
    assert.equal(code, 3);
    assert.match(stderr, /no pool `nowhere`.*tiny/s);
  });

  it('is joined by a schedule, which can be created, listed, triggered and deleted', async () => {
    assert.equal(
      (
        await partloop(home, [
          'schedule',
          'create',
          'nightly',
          '--pool',
          'tiny',
          '--loop',
          'tiny',
          '--every',
          '12h',
          '--json',
        ])
      ).code,
      0,
    );
    const { schedules } = z
      .looseObject({ schedules: z.array(z.looseObject({ name: z.string() })) })
      .parse(await partloopJson(home, ['schedule', 'list']));
    assert.deepEqual(
      schedules.map(({ name }) => name),
      ['nightly'],
    );
    assert.equal((await partloop(home, ['schedule', 'trigger', 'nightly'])).code, 0);
    assert.equal((await partloop(home, ['schedule', 'delete', 'nightly'])).code, 0);
  });
});
