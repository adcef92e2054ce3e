import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { openWork, openWorkflows } from '../../cleanup/openWork.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { withConfig } from '../../domain/loop/state.js';
import { SEARCH_ATTRIBUTES } from '../../domain/searchAttributes.js';
import { keys } from '../../storage/keys.js';
import { updateLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { registerBenchmark } from '../../storage/registry.js';
import { context, step, train } from '../cleanup/gc/kit.js';
import { venvBinary } from '../support/binaries.js';
import type { CliAnswer } from '../support/cli.js';
import { partloopHere } from '../support/cliHere.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { testConfig } from '../support/standIns/fakeActivities.js';

const sweptSchema = z.looseObject({
  running: z.array(z.string()),
  loops: z.array(z.looseObject({ loop: z.string(), objects: z.number() })),
});

/** A real store and a real Temporal whose workflows nobody works for: they run until they are ended. */
describe('a command that deletes', function () {
  this.timeout(180_000);
  let server: TestStore;
  let temporal: TestWorkflowEnvironment;
  let store: ObjectStore;
  let home: string;

  before(async () => {
    const executable = { type: 'existing-path', path: venvBinary('temporal') } as const;
    const searchAttributes = Object.values(SEARCH_ATTRIBUTES);
    [server, temporal] = await Promise.all([
      startTestStore(),
      TestWorkflowEnvironment.createLocal({ server: { executable, searchAttributes } }),
    ]);
    home = await mkdtemp(join(tmpdir(), 'partloop-removal-'));
    store = server.open('removal');
  });
  after(async () => {
    await Promise.all([server?.stop(), temporal?.teardown()]);
    await rm(home, { recursive: true, force: true });
  });

  const run = (...args: string[]): Promise<CliAnswer> =>
    partloopHere(args, {
      PARTLOOP_HOME: home,
      PARTLOOP_STORE: 's3://partloop/removal',
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      AWS_ENDPOINT_URL_S3: server.options.endpoint,
      AWS_REGION: server.options.region,
      AWS_ACCESS_KEY_ID: server.options.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.options.credentials.secretAccessKey,
    });
  async function said(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  }
  async function refused(words: RegExp, ...args: string[]): Promise<void> {
    const { code, stderr } = await run(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, words);
  }

  const start = (workflowType: string, workflowId: string, loop?: string) =>
    temporal.client.workflow.start(workflowType, {
      ...{ workflowId, taskQueue: LIGHT_QUEUE, args: [{}] },
      ...(loop === undefined ? {} : { typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.loop, value: loop }] }),
    });
  /** Listings lag behind by some moments. */
  async function listed(count: number): Promise<void> {
    for (let attempt = 0; (await openWorkflows(temporal.client)).length !== count; attempt++) {
      assert.ok(attempt < 100, 'the list of workflows does not settle');
      await new Promise((done) => setTimeout(done, 100));
    }
  }
  /** A loop of two iterations; the key of what the first training left. */
  async function loop(name: string, naming: unknown = 'nothing'): Promise<string> {
    await updateLoopState(store, name, (state) => withConfig(state, testConfig));
    await step(store, { ...context(1), loop: name }, 'draw', naming);
    await train(store, { ...context(2), loop: name }, 1, { saves: 1 });
    return String((await train(store, { ...context(1), loop: name }, 1, { saves: 1 })).outputs.out);
  }

  it('knows what runs: iterations with their children, scans by name, attribute or run, but no loop that waits', async () => {
    const handles = [
      await start('trainingLoop', 'loop:idle'),
      await start('loopIteration', 'loop:cars:iteration:0002'),
      await start('hyperparameterSearch', 'loop:vans:iteration:0003:tune'),
      await start('mislabelScan', 'scan:audit'),
      await start('mislabelScan', 'my scan', 'named'),
      await start('mislabelScan', 'another'),
      await start('startLoop', 'start-something'),
      await start('poolIngest', 'pool:cars:ingest'),
      await start('startIngest', 'look-into-inboxes'),
      await start('cleanUp', 'store:cleanup'),
    ];
    await listed(handles.length);
    const { ids, isOpen } = await openWork(temporal.client);
    assert.equal(ids.length, handles.length - 5);
    const expected: readonly (readonly [name: string, iteration: number, isOpen: boolean])[] = [
      ['idle', 1, false],
      ['cars', 1, false],
      ['cars', 2, true],
      ['vans', 3, true],
      ['audit', 1, true],
      ['named', 1, true],
      ['audit-2', 1, false],
      ['start-something', 1, false],
      [`scan-${handles[5]?.firstExecutionRunId.slice(-12)}`, 1, true],
    ];
    for (const [name, iteration, open] of expected) assert.equal(isOpen(name, iteration), open, `${name} ${iteration}`);
    for (const handle of handles) await handle.terminate();
    await listed(0);
  });

  it('leaves a running iteration alone, and takes what is done beside it', async () => {
    await loop('cars');
    const [whole, iteration] = [
      await start('trainingLoop', 'loop:cars'),
      await start('loopIteration', 'loop:cars:iteration:0002'),
    ];
    await listed(2);
    const gc = async (...flags: string[]) =>
      sweptSchema.parse(JSON.parse(await said('gc', '--older-than', '0', '--json', ...flags)));
    const swept = await gc('--delete');
    assert.deepEqual(swept.running, ['loop:cars:iteration:0002']);
    assert.deepEqual(
      swept.loops.map(({ loop: of, objects }) => [of, objects]),
      [['cars', 3]],
    );
    await iteration.terminate();
    await whole.terminate();
    await listed(0);
    assert.deepEqual(
      (await gc('--delete')).loops.map(({ objects }) => objects),
      [3],
    );
    assert.deepEqual((await gc()).loops, []);
  });

  it('refuses a loop or a scan that runs', async () => {
    await store.put(keys.scan('audit'), JSON.stringify({ version: 1, scan: 'audit' }));
    await refused(/not the name of the loop, cars/, 'loop', 'delete', 'cars', '--confirm', 'vans');
    const handles = [await start('trainingLoop', 'loop:cars'), await start('mislabelScan', 'scan:audit')];
    await refused(
      /not stopped: loop:cars\nhint: .*loop stop cars --now/,
      'loop',
      'delete',
      'cars',
      '--confirm',
      'cars',
    );
    await refused(/not stopped: scan:audit\nhint: .*scan stop audit/, 'scan', 'delete', 'audit', '--confirm', 'audit');
    for (const handle of handles) await handle.terminate();
    await listed(0);
    await said('scan', 'delete', 'audit', '--confirm', 'audit');
    assert.equal(await store.head(keys.scan('audit')), null);
  });

  it('refuses a loop whose model judges in a scan that has just started and has no record yet', async () => {
    const model = await loop('young');
    const scan = await temporal.client.workflow.start('mislabelScan', {
      ...{ workflowId: 'scan:fresh', taskQueue: LIGHT_QUEUE },
      args: [{ pool: 'cars', model: { scan: model, card: model } }],
    });
    await listed(1);
    const confirmed = ['loop', 'delete', 'young', '--confirm', 'young'];
    await refused(/needed by fresh \(input of scan:fresh\)\nhint: .*--while-needed/, ...confirmed);
    await scan.terminate();
    await listed(0);
    await said(...confirmed);
    assert.equal(await store.head(model), null);
  });

  it('deletes a loop while an inbox is read', async () => {
    await loop('apart');
    const ingest = await start('poolIngest', 'pool:apart:ingest');
    await listed(1);
    await said('loop', 'delete', 'apart', '--confirm', 'apart');
    await ingest.terminate();
    await listed(0);
  });

  it('refuses a loop whose model is in production, or which others need', async () => {
    const model = await loop('cars');
    await loop('vans', { model });
    const confirmed = ['loop', 'delete', 'cars', '--confirm', 'cars'];
    const registered = (key: string, name: string) => ({
      scan: key,
      card: key,
      digest: 'a'.repeat(64),
      loop: name,
      iteration: 1,
    });
    await registerBenchmark(store, 'b'.repeat(64), registered(model, 'cars'), 'a test');
    await refused(/is in production: loops\/cars/, ...confirmed, '--while-needed');
    await registerBenchmark(store, 'b'.repeat(64), registered(await loop('third'), 'third'), 'a test');
    await refused(
      /needed by vans \(loops\/vans\/.*registry\/b+\/benchmark\.json \(history\)\nhint: .*--while-needed/,
      ...confirmed,
    );
    await said(...confirmed, '--while-needed');
    const left = new Set<string>();
    for await (const { key } of store.list('loops/')) left.add(key.split('/')[1] ?? '');
    assert.deepEqual([...left], ['third', 'vans']);
  });
});
