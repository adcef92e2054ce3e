import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Command } from 'commander';
import { z } from 'zod';
import { buildProgram } from '../../cli/program.js';
import { type Decision, decisionSchema, EMPTY_REGISTRY } from '../../domain/decide/decision.js';
import { startLoopRequestSchema } from '../../domain/loop/startRequest.js';
import { withAttempt, withProposal } from '../../domain/loop/state.js';
import { resolveStart } from '../../steps/startRequest.js';
import { keys } from '../../storage/keys.js';
import { updateLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readRegistry, updateRegistry } from '../../storage/registry.js';
import { readReviews } from '../../storage/reviews.js';
import { SCAN, type ScannedPool, scannedPool } from '../pool/review/scannedPool.js';
import { ROOT } from '../support/binaries.js';
import { partloopHere } from '../support/cliHere.js';
import { givenCard } from '../support/models/givenModel.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { POOL as TINY, taxonomy, tinyImage } from '../training/tinyPool.js';
import { GOOD_CALLS, GROUPS_THAT_ACT } from './goodCalls.js';

const LOOP = 'steered';
const STORE = 's3://partloop/good-calls';
const CARD = givenCard(taxonomy, 64, 'c'.repeat(64));
const PROPOSAL = { iteration: 2, settings: { lrHead: 0.01 }, miou: 0.6, ownMiou: 0.5 };
const PYTHON = process.env.PARTLOOP_PYTHON ?? join(ROOT, '.venv', 'bin', 'python');

describe('a good call of each command', () => {
  const leaves = (command: Command, path: string[] = []): string[][] => [
    ...(command.commands.length === 0 || GROUPS_THAT_ACT.includes(path.join(' ')) ? [path] : []),
    ...command.commands.flatMap((child) => leaves(child, [...path, child.name()])),
  ];

  it('stands in the test file listed for it', async () => {
    const commands = leaves(await buildProgram()).map((path) => path.join(' '));
    assert.deepEqual(Object.keys(GOOD_CALLS).sort(), commands.sort());
    for (const [command, [file, call]] of Object.entries(GOOD_CALLS)) {
      const words =
        call ??
        command
          .split(' ')
          .map((word) => `'${word}'`)
          .join(', ');
      const text = await readFile(join(ROOT, 'test', file), 'utf8');
      assert.ok(text.includes(words), `test/${file} does not call \`partloop ${command}\` by ${words}`);
    }
  });
});

/** The services alone, without workers of this checkout: commands meet a real store and a real Temporal. */
describe('a command that needs no worker', function () {
  this.timeout(240_000);
  let server: TestStore;
  let temporal: TestWorkflowEnvironment;
  let store: ObjectStore;
  let home: string;
  let cars: ScannedPool;

  before(async () => {
    [server, temporal] = await Promise.all([startTestStore(), localEnvironment()]);
    home = await mkdtemp(join(tmpdir(), 'partloop-good-'));
    store = server.open('good-calls');
    cars = await scannedPool(20, { store });
    await recordIterations();
  });

  /** Two iterations of a loop: the second waits for an approval, and has found settings. */
  async function recordIterations(): Promise<void> {
    const decision: Decision = decisionSchema.parse({
      ...{ version: 1, gate: 'held', promoted: false, reasons: [], pendingApproval: true, testVersion: 't' },
      candidate: { scan: 'scan.onnx', card: 'model.json', digest: CARD.files.scan, loop: LOOP, iteration: 2 },
      ...{ benchmark: null, candidateMiou: 0.6, benchmarkMiou: null, gain: null, lower: null, upper: null },
      ...{ detectable: null, units: 1, look: null, alpha: null, slices: [], lostClasses: [], previousCandidate: null },
    });
    await store.put('decision.json', JSON.stringify(decision));
    await store.put('model.json', JSON.stringify(CARD));
    const attempt = { runId: 'r', status: 'finished' as const, error: null, config: testConfig, force: null };
    await updateLoopState(store, LOOP, (state) => {
      const at = { recordedAt: '2026-01-01T00:00:00Z' };
      const first = withAttempt(state, 1, {
        ...attempt,
        ...at,
        results: { draw: stepResult('draw', {}, { drawn: 1 }) },
      });
      const decide = stepResult('decide', { decision: 'decision.json' });
      const results = { draw: stepResult('draw', {}, { drawn: 2 }), decide };
      return withProposal(withAttempt(first, 2, { ...attempt, ...at, results }), PROPOSAL);
    });
  }

  after(async () => {
    await Promise.all([server?.stop(), temporal?.teardown()]);
    await rm(home, { recursive: true, force: true });
  });

  async function said(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await partloopHere(args, {
      PARTLOOP_HOME: home,
      PARTLOOP_STORE: STORE,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      TEMPORAL_UI_URL: 'http://127.0.0.1:8233',
      AWS_ENDPOINT_URL_S3: server.options.endpoint,
      AWS_REGION: server.options.region,
      AWS_ACCESS_KEY_ID: server.options.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.options.credentials.secretAccessKey,
    });
    assert.equal(code, 0, `partloop ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  const answered = async <T>(schema: z.ZodType<T>, ...args: string[]): Promise<T> =>
    schema.parse(JSON.parse(await said(...args, '--json')));
  const images = async (): Promise<number> => (await cars.pool.readIndex(await cars.pool.latestVersion())).length;

  it('prints documents', async () => {
    assert.equal(z.looseObject({ type: z.string() }).parse(JSON.parse(await said('config', 'schema'))).type, 'object');
    assert.equal(await said('config', 'docs'), await readFile(join(ROOT, 'docs', 'config.md'), 'utf8'));
    const classes = z.looseObject({ classes: z.array(z.unknown()) });
    assert.equal(classes.parse(JSON.parse(await said('pool', 'taxonomy', 'car-parts-34'))).classes.length, 34);
  });

  it('examines the machine', async () => {
    const checks = z.looseObject({
      ok: z.boolean(),
      checks: z.array(z.looseObject({ name: z.string(), detail: z.string() })),
    });
    const found = (await answered(checks, 'doctor')).checks;
    assert.ok(found.some(({ name }) => name === 'store'));
    assert.match(found.find(({ name }) => name === 'Temporal')?.detail ?? '', /ended workflows are kept \d+ days?$/);
  });

  it('lists pools, tags their images, removes some and restores them', async () => {
    const pools = z.object({ pools: z.array(z.string()) });
    assert.deepEqual((await answered(pools, 'pool', 'list')).pools, ['cars']);
    const tags = join(home, 'tags.csv');
    await writeFile(tags, 'file_name,black\ncar-1.jpg,true\n');
    await said('pool', 'tag', 'cars', tags);
    assert.equal((await cars.now(1)).row.black, true);
    await said('pool', 'remove', 'cars', '--image', 'car-2.jpg', '--yes');
    assert.equal(await images(), 19);
    await said('pool', 'restore', 'cars', '--image', 'car-2.jpg');
    assert.equal(await images(), 20);
  });

  it('makes no certificate of a pool without an audit sample', async () => {
    const none = z.object({ certificate: z.null(), further: z.null(), scans: z.array(z.never()) });
    await answered(none, 'pool', 'certify', 'cars', '--below', '0.02');
  });

  it('takes answers to findings back', async () => {
    const answers = join(home, 'answers.csv');
    await writeFile(answers, 'finding_id,verdict\nf-car-1.jpg,right\n');
    await said('review', 'import', answers, '--scan', SCAN);
    await said('review', 'undo', 'cars');
    assert.deepEqual((await readReviews(store, 'cars')).verdicts, []);
  });

  it('draws findings whose answers decide on similar ones', async () => {
    const out = join(home, 'questions.csv');
    await said('review', 'propagate', 'cars', '--ask', '10', '--alpha', '0.5', '--out', out);
    assert.match(await readFile(out, 'utf8'), /f-car-\d+\.jpg/);
    const outcome = z.looseObject({ reason: z.string(), openQuestions: z.number() });
    const { reason, openQuestions } = await answered(outcome, 'review', 'propagate', 'cars');
    assert.deepEqual([reason, openQuestions], ['too few answers', 10]);
  });

  it('compares iterations, and puts the model of one into production', async () => {
    assert.match(await said('iteration', 'diff', `${LOOP}:1`, `${LOOP}:2`), /drawn +1 +2/);
    await said('iteration', 'approve', LOOP, '--by', 'somebody');
    assert.equal((await readRegistry(store, CARD.taxonomyDigest)).model?.iteration, 2);
  });

  it('fills in the start form of the Temporal UI, and says what goes into its input', async () => {
    const links = z.object({
      overview: z.string(),
      starts: z.array(z.object({ pool: z.string(), link: z.string(), input: startLoopRequestSchema })),
      loops: z.array(z.unknown()),
    });
    const { starts, loops } = await answered(links, 'ui', 'cars');
    assert.deepEqual(
      starts.map(({ pool }) => pool),
      ['cars'],
    );
    const form = new URL(starts[0]?.link ?? '');
    assert.equal(form.pathname, `/namespaces/${temporal.namespace ?? 'default'}/workflows/start-workflow`);
    assert.deepEqual(Object.fromEntries(form.searchParams), {
      workflowType: 'startLoop',
      taskQueue: 'partloop',
      workflowId: 'start:cars',
    });
    assert.deepEqual(loops, []);
    // Sent as it is, the example means the same as a start without any field.
    const example = starts[0]?.input;
    assert.ok(example !== undefined);
    const bare = await resolveStart({ store }, startLoopRequestSchema.parse({ pool: 'cars' }));
    assert.deepEqual((await resolveStart({ store }, example)).config, bare.config);
    assert.match(
      await said('ui'),
      /Start a loop over pool cars: http.*start-workflow[\s\S]*{"pool":"cars","iterations":1,/,
    );
  });

  it('holds a schedule', async () => {
    await said('schedule', 'create', 'nightly', '--pool', 'cars');
    await said('schedule', 'pause', 'nightly');
    const list = z.object({ schedules: z.array(z.looseObject({ paused: z.boolean() })) });
    assert.deepEqual(
      (await answered(list, 'schedule', 'list')).schedules.map(({ paused }) => paused),
      [true],
    );
    await said('schedule', 'delete', 'nightly');
  });

  it('finds garbage, and deletes it', async () => {
    const attempt = `${keys.stepPrefix(LOOP, 1, 'train', 'a'.repeat(64))}${randomUUID()}/checkpoints/1.pt`;
    const commit = keys.commit(LOOP, 1, 'train', 'a'.repeat(64));
    await store.put(attempt, 'weights');
    await store.put(commit, JSON.stringify({ attempt: 'another' }));
    const swept = z.looseObject({ done: z.boolean(), kinds: z.array(z.looseObject({ objects: z.number() })) });
    const found = async (...args: string[]) => {
      const { done, kinds } = await answered(swept, 'gc', ...args);
      return [done, kinds.reduce((sum, { objects }) => sum + objects, 0)];
    };
    assert.deepEqual(await found(), [false, 0], 'it is young');
    assert.deepEqual(await found('--older-than', '0'), [false, 1]);
    assert.match(await said('gc', '--older-than', '0'), /checkpoints +1/);
    assert.deepEqual(await found('--older-than', '0', '--delete'), [true, 1]);
    assert.deepEqual([await store.head(attempt), (await store.head(commit))?.key], [null, commit]);
  });

  it('deletes a pool', async () => {
    await said('pool', 'delete', 'cars', '--confirm', 'cars');
    assert.equal(await store.head(keys.taxonomy('cars')), null);
  });

  it('deletes a scan, and a loop that nobody needs', async () => {
    await said('scan', 'delete', SCAN);
    assert.ok(await store.head(keys.scan(SCAN)), 'nothing is deleted without --confirm');
    await said('scan', 'delete', SCAN, '--confirm', SCAN);
    assert.equal(await store.head(keys.scan(SCAN)), null);
    const plan = z.looseObject({ done: z.boolean(), production: z.array(z.unknown()), running: z.array(z.string()) });
    const { done, production, running } = await answered(plan, 'loop', 'delete', LOOP);
    assert.deepEqual([done, production.length, running], [false, 1, []]);
    await updateRegistry(store, CARD.taxonomyDigest, () => EMPTY_REGISTRY);
    await said('loop', 'delete', LOOP, '--confirm', LOOP);
    const left: string[] = [];
    for await (const { key } of store.list('loops/')) left.push(key);
    assert.deepEqual(left, []);
    await recordIterations();
  });

  it('tells a loop to train with proposed settings', async () => {
    const { activities, calls } = fakeActivities();
    const loaded = activities.loadLoop;
    const own = {
      ...activities,
      loadLoop: async (asked: Parameters<typeof loaded>[0]) => ({ ...(await loaded(asked)), proposal: PROPOSAL }),
      adoptProposal: async () => {
        calls.push('adopted');
        return PROPOSAL;
      },
    };
    await withWorkers(temporal, own, () => said('loop', 'adopt', LOOP));
    assert.deepEqual(calls, ['adopted']);
  });

  it('exports a pool', async () => {
    await makeTinyPool();
    const report = z.looseObject({ images: z.number(), files: z.array(z.looseObject({ file: z.string() })) });
    const coco = await answered(report, 'pool', 'export', 'coco', TINY, '--out', join(home, 'coco'));
    assert.equal(coco.images, 4);
    for (const { file } of coco.files) assert.ok(existsSync(join(home, 'coco', file)), file);
    const parquet = await answered(report, 'pool', 'export', 'hf', TINY, '--out', join(home, 'hf'), '--split', 'train');
    assert.equal(parquet.images, 4);
    assert.ok(existsSync(join(home, 'hf', 'croissant.json')));
  });

  /** Does nothing a second time. */
  async function makeTinyPool(): Promise<void> {
    await store.put(keys.taxonomy(TINY), JSON.stringify(taxonomy));
    const rows = await Promise.all([0, 1, 2, 3].map((index) => tinyImage(store, index)));
    await (await openPool(store, TINY)).append((history) => (history.images().length > 0 ? [] : rows));
  }

  it('tries learning rates', async function () {
    if (!existsSync(PYTHON)) this.skip();
    await makeTinyPool();
    const out = join(home, 'rates.svg');
    const small = ['train.batchSize=2', 'train.imageSize=64', 'train.threads=1'];
    await said('train', 'lr-find', '--pool', TINY, '--iterations', '3', '--out', out, '--set', ...small);
    assert.match(await readFile(out, 'utf8'), /^<svg/);
  });
});
