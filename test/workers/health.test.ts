import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { LIGHT_QUEUE, SCAN_QUEUE } from '../../domain/base/queues.js';
import { WORKFLOWS } from '../../domain/workflowNames.js';
import { LOCAL_BUCKET } from '../../infra/services/seaweed.js';
import { workerHealth } from '../../workers/health/health.js';
import { whyUnseen } from '../../workers/health/seen.js';
import { serveHealth } from '../../workers/health/serve.js';
import { until } from '../infra/home.js';
import { ROOT } from '../support/binaries.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { localEnvironment, workflowBundle } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, stepResult, testConfig } from '../support/standIns/fakeActivities.js';

const HOST = '127.0.0.1';

/** Status of a probe, and what it found. */
async function probe(port: number, path: string, method = 'GET'): Promise<{ status: number; body: string }> {
  const answer = await fetch(`http://${HOST}:${port}${path}`, { method });
  return { status: answer.status, body: await answer.text() };
}

const statusOf = async (port: number, path: string): Promise<number> => (await probe(port, path)).status;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const port = portOf(server);
  await new Promise((done) => server.close(done));
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

describe('the health probes of a worker', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let store: TestStore;
  let home: string;
  const children: ChildProcess[] = [];
  before(async () => {
    [environment, store] = await Promise.all([localEnvironment(), startTestStore()]);
    home = await mkdtemp(join(tmpdir(), 'pl-health-'));
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all([environment?.teardown(), store?.stop()]);
    if (home) await rm(home, { recursive: true, force: true });
  });

  function startWorker(role: string, port: number): ChildProcess {
    const { endpoint, region, credentials } = store.options;
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'workers', 'main.js'), '--role', role], {
      env: {
        ...process.env,
        TEMPORAL_ADDRESS: environment.address,
        TEMPORAL_NAMESPACE: environment.namespace ?? 'default',
        PARTLOOP_HOME: join(home, role),
        PARTLOOP_STORE: `s3://${LOCAL_BUCKET}/health`,
        PARTLOOP_HEALTH_PORT: String(port),
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  it('say of a process that it lives, and that it is ready once Temporal has seen its poll', async () => {
    const port = await freePort();
    const child = startWorker('light', port);
    child.stdout?.resume();
    const answers: string[] = [];
    await until(async () => {
      const answer = await probe(port, '/ready').catch(() => null);
      if (answer !== null) answers.push(`${answer.status} ${answer.body.trim()}`);
      assert.equal(child.exitCode, null);
      return answer?.status === 200;
    });
    assert.equal(answers.at(-1), '200 {"light":null}');
    assert.ok(answers.length > 1 && answers.slice(0, -1).every((line) => line.startsWith('503 ')), answers.join('\n'));
    assert.equal(await statusOf(port, '/live'), 200);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('refuse a port that is taken in one sentence', async () => {
    const taken = createServer().listen(0, HOST);
    await once(taken, 'listening');
    try {
      const child = startWorker('light', portOf(taken));
      let said = '';
      child.stdout?.on('data', (chunk) => {
        said += chunk;
      });
      const [code] = await once(child, 'close');
      assert.equal(code, 7);
      assert.match(said, /health probes cannot be answered at 127\.0\.0\.1:\d+: .*EADDRINUSE/);
    } finally {
      taken.close();
    }
  });

  describe('of a worker with work in hand', () => {
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let begun = false;
    let server: Awaited<ReturnType<typeof serveHealth>>;
    const health = workerHealth(['scan'], () => environment.client, 0);
    let scan: Worker;
    let light: Worker;
    let running: Promise<unknown>;

    before(async () => {
      server = await serveHealth(health, { host: HOST, port: 0 });
      const { activities } = fakeActivities({ shards: 1 });
      const connection = environment.nativeConnection;
      const workflows = { activities, workflowBundle: await workflowBundle() };
      light = await Worker.create({ connection, taskQueue: LIGHT_QUEUE, ...workflows });
      const scanShard = (): Promise<void> => {
        begun = true;
        return held;
      };
      scan = await Worker.create({
        ...{ connection, taskQueue: SCAN_QUEUE, activities: { ...activities, scanShard } },
        ...{ maxConcurrentActivityTaskExecutions: 2, identity: 'scan:1@health' },
      });
    });
    after(async () => {
      finish();
      for (const worker of [light, scan]) if (worker?.getState() === 'RUNNING') worker.shutdown();
      await running;
      server?.close();
    });

    it('stay unready until it polls', async () => {
      assert.equal((await probe(portOf(server), '/ready')).body, '{"scan":"checks its machine"}\n');
      health.follow('scan', scan);
      assert.equal((await probe(portOf(server), '/ready')).body, '{"scan":"its worker is INITIALIZED"}\n');
      running = Promise.all([light.run(), scan.run()]);
      await until(async () => (await statusOf(portOf(server), '/ready')) === 200);
      assert.equal((await probe(portOf(server), '/ready', 'HEAD')).status, 200);
    });

    it('answer 503 to /ready and 200 to /live while it drains', async () => {
      const context = { loop: 'cars', iteration: 1, config: testConfig, previous: null, force: null };
      const { workflow } = environment.client;
      const handle = await workflow.start(WORKFLOWS.mislabelScan, {
        ...{ workflowId: 'scan:health', taskQueue: LIGHT_QUEUE, args: [{ context, draw: stepResult('draw') }] },
      });
      await until(() => begun);
      assert.equal(await statusOf(portOf(server), '/ready'), 200);
      health.drain();
      assert.equal((await probe(portOf(server), '/ready')).body, '{"scan":"takes no more work and ends"}\n');
      scan.shutdown();
      assert.equal(await statusOf(portOf(server), '/ready'), 503);
      assert.deepEqual(await probe(portOf(server), '/live'), { status: 200, body: '{"scan":null}\n' });
      finish();
      await until(() => scan.getState() === 'STOPPED');
      // The rest of the scan waits for a worker that nobody starts.
      await handle.terminate();
    });

    it('are two paths to be read, and nothing else', async () => {
      assert.equal(await statusOf(portOf(server), '/'), 404);
      assert.equal(await statusOf(portOf(server), '/constructor'), 404);
      assert.equal((await probe(portOf(server), '/live', 'POST')).status, 405);
    });
  });

  describe('by what Temporal has seen', () => {
    const asker = (isFull: boolean) => ({ identity: 'scan:2@nobody', taskQueue: SCAN_QUEUE, isFull: () => isFull });

    it('tell a worker that asks for nothing from one that has as much as it takes', async () => {
      assert.match((await whyUnseen(environment.client, asker(false))) ?? '', /has seen no poll of partloop-scan/);
      assert.equal(await whyUnseen(environment.client, asker(true)), null);
    });

    it('are never ready where Temporal does not answer, however much is in hand', async () => {
      const connection = Connection.lazy({ address: `${HOST}:1` });
      assert.equal(await whyUnseen(new Client({ connection }), asker(true)), 'Temporal does not answer');
    });
  });

  it('ask for an end where a worker failed', async () => {
    const health = workerHealth(['train'], () => null);
    health.follow('train', {
      getState: () => 'FAILED',
      getStatus: () => ({ numInFlightActivities: 0 }),
      options: { identity: 'train:1@host' },
    });
    assert.deepEqual(health.live(), { train: 'its worker failed' });
    assert.deepEqual(await health.ready(), { train: 'its worker is FAILED' });
  });
});
