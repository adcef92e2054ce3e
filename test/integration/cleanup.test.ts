import assert from 'node:assert/strict';
import { z } from 'zod';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { storeOfHome } from '../chaos/home.js';
import { partloop, partloopJson } from '../support/cli.js';
import { carStack } from '../support/servers/carStack.js';

const sweptSchema = z.looseObject({
  done: z.boolean(),
  kinds: z.array(z.object({ kind: z.string(), objects: z.number(), bytes: z.number() })),
  failed: z.array(z.unknown()),
  unreadable: z.array(z.unknown()),
});
const statusSchema = z.looseObject({
  phase: z.string(),
  error: z.string().nullable(),
  rows: z.array(z.looseObject({ iteration: z.number(), status: z.string() })),
});
const resultsSchema = z.record(z.string(), z.looseObject({ outcome: z.string(), digest: z.string() }));
const iterationSchema = z.looseObject({ current: z.looseObject({ results: resultsSchema }) });

const TEST_MS = 8 * 60_000;
const LOOP = ['loop', 'start', 'tiny', '--pool', 'tiny', '--chunk-size', '12', '--sample-share', '0.5'];
const TRAINING = ['--train-iterations', '6', '--batch-size', '4', '--image-size', '64', '--set', 'evaluationSize=64'];

describe('a loop whose garbage is collected, on the local stack', function () {
  this.timeout(TEST_MS);
  let home: string;
  let store: ObjectStore;
  let remove = async (): Promise<void> => undefined;

  before(async () => {
    ({ home, remove } = await carStack('tiny', { seed: 5, counts: { train: 24, val: 4, test: 8 } }));
    store = await storeOfHome(home);
  });
  after(() => remove());

  const bytesUnder = async (prefix: string): Promise<number> => {
    let bytes = 0;
    for await (const { size } of store.list(prefix)) bytes += size;
    return bytes;
  };
  const keysUnder = async (prefix: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of store.list(prefix)) found.push(key);
    return found;
  };
  const scanOf = (iteration: number) => partloopJson(home, ['scan', 'show', `tiny:${iteration}`]);
  const gc = async (...args: string[]) => sweptSchema.parse(await partloopJson(home, ['gc', ...args]));
  const iteration = async (number: number) =>
    iterationSchema.parse(await partloopJson(home, ['iteration', 'show', 'tiny', String(number)])).current.results;
  const finished = async (args: string[]): Promise<number> => {
    const { phase, error, rows } = statusSchema.parse(await partloopJson(home, [...args, '--wait']));
    assert.equal(phase, 'idle', error ?? '');
    assert.ok(rows.every(({ status }) => status === 'finished'));
    return rows.length;
  };

  it('loses most of its bytes and none of its results', async () => {
    assert.equal(await finished([...LOOP, ...TRAINING, '--iterations', '1']), 1);
    const before = await bytesUnder('loops/');
    const [scan, registry, scores] = [await scanOf(1), await keysUnder('registry/'), await keysUnder('evaluations/')];
    const told = await gc('--older-than', '0');
    assert.ok(told.kinds.some(({ kind, objects }) => kind === 'checkpoints' && objects > 0));
    assert.deepEqual([told.done, await bytesUnder('loops/')], [false, before]);
    const young = await gc('--delete');
    assert.ok(
      young.kinds.every(({ objects }) => objects === 0),
      'what is younger than a day stays',
    );
    const done = await gc('--older-than', '0', '--delete');
    assert.deepEqual([done.done, done.failed, done.unreadable, done.kinds], [true, [], [], told.kinds]);
    const freed = done.kinds.reduce((sum, { bytes }) => sum + bytes, 0);
    const after = await bytesUnder('loops/');
    assert.equal(after, before - freed);
    if (process.env.PARTLOOP_FIGURES !== undefined) console.log({ before, after, kinds: done.kinds });
    assert.deepEqual(await scanOf(1), scan);
    assert.deepEqual([await keysUnder('registry/'), await keysUnder('evaluations/')], [registry, scores]);
    assert.ok(after < before / 2, `${after} of ${before} bytes`);
  });

  it('is replayed from its last steps with the results of the earlier ones', async () => {
    const before = await iteration(1);
    await finished(['iteration', 'replay', 'tiny', '1', '--from', 'decide']);
    const after = await iteration(1);
    for (const step of ['draw', 'scan', 'sample', 'train', 'evaluate'])
      assert.deepEqual([after[step]?.outcome, after[step]?.digest], ['hit', before[step]?.digest], step);
    assert.equal(after.decide?.outcome, 'forced');
    const { code, stderr } = await partloop(home, ['report', 'open', 'tiny', '--no-browser']);
    assert.equal(code, 0, stderr);
  });

  it('goes on with its next iteration, from the weights of the one before', async () => {
    assert.equal(await finished([...LOOP, '--set', 'train.warmStart=true', '--iterations', '1']), 2);
    await gc('--older-than', '0', '--delete');
    assert.equal(
      (await gc('--older-than', '0')).kinds.reduce((sum, { objects }) => sum + objects, 0),
      0,
    );
  });
});
