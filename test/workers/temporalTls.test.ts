import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { LOCAL_BUCKET } from '../../infra/services/seaweed.js';
import { until } from '../infra/home.js';
import { ROOT } from '../support/binaries.js';
import { partloop } from '../support/cli.js';
import { makeAuthority } from '../support/servers/authority.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { type TlsGate, tlsGate } from '../support/servers/tlsGate.js';
import { localEnvironment } from '../support/servers/workflowEnvironment.js';

const API_KEY = 'the-key-of-a-namespace-0123456789';
const POLL = /PollActivityTaskQueue$/;

describe('a Temporal service behind TLS', function () {
  this.timeout(120_000);
  const authority = makeAuthority('partloop test authority');
  let environment: TestWorkflowEnvironment;
  let store: TestStore;
  let folder: string;
  const gates: TlsGate[] = [];
  const children: ChildProcess[] = [];
  before(async () => {
    [environment, store] = await Promise.all([localEnvironment(), startTestStore()]);
    folder = await mkdtemp(join(tmpdir(), 'pl-tls-'));
    const { certificate, key } = authority.sign('partloop worker');
    for (const [name, text] of Object.entries({
      'ca.pem': authority.certificate,
      'client.pem': certificate,
      'client.key': key,
    }))
      await writeFile(join(folder, name), text);
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    for (const gate of gates) gate.close();
    await Promise.all([environment?.teardown(), store?.stop()]);
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function gate(mutual: boolean): Promise<TlsGate> {
    const opened = await tlsGate(environment.address, authority.sign('localhost'), {
      ...{ authority: authority.certificate, mutual },
    });
    gates.push(opened);
    return opened;
  }
  const mtls = () => ({
    TEMPORAL_TLS_CLIENT_CERT_PATH: join(folder, 'client.pem'),
    TEMPORAL_TLS_CLIENT_KEY_PATH: join(folder, 'client.key'),
  });

  /** What a worker or a command needs to come through a gate. */
  function variables({ port }: TlsGate, own: Record<string, string>): Record<string, string> {
    const { endpoint, region, credentials } = store.options;
    return {
      TEMPORAL_ADDRESS: `localhost:${port}`,
      TEMPORAL_NAMESPACE: environment.namespace ?? 'default',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'ca.pem'),
      PARTLOOP_STORE: `s3://${LOCAL_BUCKET}/tls`,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...own,
    };
  }

  function startWorker(env: Record<string, string>): { child: ChildProcess; said(): string } {
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'workers', 'main.js'), '--role', 'light'], {
      env: { ...process.env, PARTLOOP_HOME: join(folder, 'home'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        text += chunk;
      });
    return { child, said: () => text };
  }

  async function worksThrough(through: TlsGate, env: Record<string, string>): Promise<string> {
    const { child, said } = startWorker(env);
    await until(() => {
      assert.equal(child.exitCode, null, said());
      return through.calls.some(({ path }) => POLL.test(path)) && said().includes('polls for tasks');
    });
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'close'), [0, null]);
    const listed = await partloop(join(folder, 'home'), ['schedule', 'list'], { environment: env });
    assert.equal(listed.code, 0, listed.stderr);
    assert.ok(through.calls.some(({ path }) => path.endsWith('/ListSchedules')));
    return `${said()}${listed.stdout}${listed.stderr}`;
  }

  it("is shown the client's certificate by workers and commands", async () => {
    const through = await gate(true);
    await worksThrough(through, variables(through, mtls()));
    assert.deepEqual([...new Set(through.calls.map(({ client }) => client))], ['partloop worker']);
  });

  it('ends a worker that has no certificate, in one sentence', async () => {
    const through = await gate(true);
    const { child, said } = startWorker(variables(through, {}));
    const [code] = await once(child, 'close');
    assert.equal(code, 6, said());
    assert.match(said(), /no Temporal service answers at localhost:\d+/);
    assert.deepEqual(through.calls, []);
  });

  it('is given the API key by workers and commands with each call, and no log has it', async () => {
    const through = await gate(false);
    const said = await worksThrough(through, variables(through, { TEMPORAL_API_KEY: API_KEY }));
    assert.deepEqual([...new Set(through.calls.map(({ authorization }) => authorization))], [`Bearer ${API_KEY}`]);
    assert.ok(said.includes('polls for tasks') && !said.includes(API_KEY));
  });
});
