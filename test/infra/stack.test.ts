import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { z } from 'zod';
import { homePaths, ROOT } from '../../infra/home.js';
import { refOf, signalProcess, waitForEnd } from '../../infra/processes/processes.js';
import { loadCredentials } from '../../infra/services/credentials.js';
import { isListening, PORT_NAMES } from '../../infra/services/ports.js';
import { LOCAL_REGION, LOCAL_STORE } from '../../infra/services/seaweed.js';
import { checkStoreWrites } from '../../storage/objects/storeCheck.js';
import { missingSearchAttributes } from '../../workers/searchAttributes.js';
import { allEnded, makeTestHome, partloop, processOf, stateOf, testEnvironment, until } from './home.js';

describe('the local stack', function () {
  this.timeout(90_000);
  let home: string;
  let remove: () => Promise<void>;

  before(async () => {
    ({ home, remove } = await makeTestHome());
    const { code, stderr } = await partloop(home, {}, 'up', '--detach');
    assert.equal(code, 0, stderr);
  });

  after(async () => {
    await partloop(home, {}, 'down', '--force');
    await remove();
  });

  it('keeps its secrets in files that only the owner reads', () => {
    const { credentials, state, seaweed, logs } = homePaths(home);
    for (const path of [credentials, state, join(seaweed, 'config', 's3.json'), join(seaweed, 'config', 'grpc.key')]) {
      assert.equal(statSync(path).mode & 0o077, 0, path);
    }
    for (const path of [home, seaweed, logs]) assert.equal(statSync(path).mode & 0o077, 0, path);
  });

  it('knows its search attributes and keeps closed runs for 90 days', async () => {
    const connection = await Connection.connect({ address: `127.0.0.1:${stateOf(home).ports.temporal}` });
    try {
      assert.deepEqual(await missingSearchAttributes(connection, 'default'), []);
      const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
      assert.equal(Number(config?.workflowExecutionRetentionTtl?.seconds), 90 * 24 * 3600);
    } finally {
      await connection.close();
    }
  });

  it('lists its processes as one JSON object', async () => {
    const { code, stdout } = await partloop(home, {}, 'status', '--json');
    assert.equal(code, 0);
    const status: unknown = JSON.parse(stdout);
    assert.ok(typeof status === 'object' && status !== null && 'phase' in status && status.phase === 'ready');
  });

  it('has a board, which `board` names', async () => {
    const { code, stdout } = await partloop(home, {}, 'board', '--json');
    assert.equal(code, 0);
    const { url } = z.object({ url: z.string() }).parse(JSON.parse(stdout));
    assert.equal(url, `http://127.0.0.1:${stateOf(home).ports.board}/`);
    assert.match(await (await fetch(url)).text(), /There is no pool yet/);
    assert.doesNotMatch(await (await fetch(`${url}loops`)).text(), /cannot be steered/);
  });

  it('refuses a second supervisor in the same home', async () => {
    const supervisor = join(ROOT, 'dist', 'infra', 'processes', 'supervisor.js');
    const second = spawn(process.execPath, [supervisor], {
      env: { ...process.env, PARTLOOP_HOME: home },
      stdio: 'ignore',
    });
    const [code] = await once(second, 'exit');
    assert.equal(code, 75);
    assert.equal(stateOf(home).phase, 'ready');
  });

  for (const name of ['temporal', 's3'] as const) {
    it(`brings ${name} back at the same port after SIGKILL`, async () => {
      const { ports } = stateOf(home);
      const killed = processOf(home, name);
      signalProcess(killed, 'SIGKILL');
      await until(() => (stateOf(home).processes[name]?.restarts ?? 0) > 0);
      await until(() => isListening(name === 's3' ? ports.s3 : ports.temporal));
      assert.notEqual(processOf(home, name).pid, killed.pid);
    });
  }

  it('leaves no orphan when its supervisor is killed, and finds the same ports and credentials again', async () => {
    const { supervisor, ports } = stateOf(home);
    assert.ok(supervisor);
    const servers = [processOf(home, 'temporal'), processOf(home, 's3')];
    signalProcess(supervisor, 'SIGKILL');
    await until(() => allEnded(servers));
    assert.match((await partloop(home, {}, 'status')).stdout, /died/);
    assert.equal((await partloop(home, {}, 'up', '--detach')).code, 0);
    assert.deepEqual(stateOf(home).ports, ports);
    const { accessKeyId, secretAccessKey } = loadCredentials(home);
    await checkStoreWrites({
      uri: LOCAL_STORE,
      endpoint: `http://127.0.0.1:${ports.s3}`,
      region: LOCAL_REGION,
      credentials: { accessKeyId, secretAccessKey },
    });
  });

  it('stops without a trace of a process or lock, and later avoids a port that is now taken', async () => {
    const { supervisor, ports } = stateOf(home);
    assert.ok(supervisor);
    const all = [supervisor, processOf(home, 'temporal'), processOf(home, 's3')];
    assert.equal((await partloop(home, {}, 'down')).code, 0);
    assert.ok(allEnded(all));
    assert.equal(stateOf(home).phase, 'stopped');
    for (const name of PORT_NAMES) assert.equal(await isListening(ports[name]), false, name);

    const stranger = createServer().listen(ports.s3, '127.0.0.1');
    await once(stranger, 'listening');
    try {
      assert.equal((await partloop(home, {}, 'up', '--detach')).code, 0);
      assert.notEqual(stateOf(home).ports.s3, ports.s3);
      assert.equal(stateOf(home).ports.temporal, ports.temporal);
    } finally {
      stranger.close();
    }
  });
});

describe('`partloop up` in the foreground', function () {
  this.timeout(60_000);

  it('stops everything that it started, after both Ctrl-C and SIGKILL', async () => {
    const { home, remove } = await makeTestHome();
    try {
      for (const signal of ['SIGINT', 'SIGKILL'] as const) {
        const up = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), 'up'], {
          env: testEnvironment(home),
          stdio: 'ignore',
        });
        const ended = once(up, 'exit');
        await until(
          () => up.exitCode !== null || (statePhase(home) === 'ready' && stateOf(home).supervisor?.pid === up.pid),
        );
        const servers = [processOf(home, 'temporal'), processOf(home, 's3')];
        up.kill(signal);
        const [code] = await ended;
        if (signal === 'SIGINT') assert.equal(code, 0);
        await until(() => allEnded(servers));
      }
    } finally {
      await remove();
    }
  });
});

describe('a process reference', () => {
  it('never signals another process that got the same pid', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const ref = child.pid === undefined ? null : refOf(child.pid);
    assert.ok(ref);
    assert.equal(signalProcess({ ...ref, startTime: 'another' }, 'SIGKILL'), false);
    assert.equal(signalProcess(ref, 'SIGKILL'), true);
    assert.ok(await waitForEnd(ref, 10_000));
  });
});

function statePhase(home: string): string | null {
  try {
    return stateOf(home).phase;
  } catch {
    return null;
  }
}
