import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../infra/home.js';
import { isLaunching, supervisorOf } from '../../infra/processes/launch.js';
import { isAlive, signalProcess } from '../../infra/processes/processes.js';
import { readState } from '../../infra/stack/state.js';
import { allEnded, makeTestHome, partloop, processOf, stateOf, testEnvironment, until } from './home.js';

describe('overlapping starts and stops', function () {
  this.timeout(120_000);
  let home: string;
  let remove: () => Promise<void>;

  before(async () => {
    ({ home, remove } = await makeTestHome());
  });

  afterEach(async () => {
    await partloop(home, {}, 'down', '--force');
  });

  after(() => remove());

  const servers = () => ['temporal', 'ui', 's3'].map((name) => processOf(home, name));
  const hasProcess = (name: string): boolean => isAlive(readState(home)?.processes[name]?.process);

  const moments: [string, () => boolean][] = [
    ['its command has just begun', () => isLaunching(home)],
    ['its supervisor has the lock', () => supervisorOf(home) !== null],
    ['its servers start', () => hasProcess('s3') && stateOf(home).phase === 'starting'],
  ];
  for (const [moment, reached] of moments) {
    it(`\`down\` stops a start when ${moment}`, async () => {
      const up = partloop(home, {}, 'up', '--detach');
      await until(reached);
      const down = await partloop(home, {}, 'down');
      assert.equal(down.code, 0, down.stderr);
      assert.match(down.stdout + down.stderr, /Stopped\./);
      const { code, stderr } = await up;
      // If the stack was ready before the stop reached it, the start has succeeded.
      assert.ok(code === 0 || code === 6, `${code}: ${stderr}`);
      if (code === 6) assert.match(stderr, /the local stack was stopped while it started/);
      assert.equal(supervisorOf(home), null);
      assert.equal(readState(home)?.phase ?? 'stopped', 'stopped');
      for (const { process } of Object.values(readState(home)?.processes ?? {})) assert.equal(isAlive(process), false);
    });
  }

  it('Ctrl-C undoes the start of `up --detach`', async () => {
    const up = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), 'up', '--detach'], {
      env: testEnvironment(home),
      stdio: 'ignore',
    });
    const ended = once(up, 'exit');
    await until(() => hasProcess('s3') && stateOf(home).phase === 'starting');
    up.kill('SIGINT');
    const [code] = await ended;
    assert.equal(code, 130);
    assert.equal(supervisorOf(home), null);
    assert.equal(stateOf(home).phase, 'stopped');
  });

  it('Ctrl-C stops a start in the foreground with everything that it started', async () => {
    const up = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), 'up'], {
      env: testEnvironment(home),
      stdio: 'ignore',
    });
    const ended = once(up, 'exit');
    await until(() => hasProcess('s3') && stateOf(home).phase === 'starting' && supervisorOf(home)?.pid === up.pid);
    const started = servers();
    up.kill('SIGINT');
    const [code] = await ended;
    assert.equal(code, 0);
    assert.ok(allEnded(started));
    assert.equal(stateOf(home).phase, 'stopped');
  });

  it('three concurrent calls of `up` start one stack', async () => {
    const ups = await Promise.all([1, 2, 3].map(() => partloop(home, {}, 'up', '--detach')));
    assert.deepEqual(
      ups.map(({ code }) => code),
      [0, 0, 0],
      ups.map(({ stderr }) => stderr).join('\n'),
    );
    assert.equal(stateOf(home).phase, 'ready');
    assert.equal(supervisorOf(home)?.pid, stateOf(home).supervisor?.pid);
  });

  it('`up` during `down` starts again once the old stack has stopped', async () => {
    assert.equal((await partloop(home, {}, 'up', '--detach')).code, 0);
    const { supervisor } = stateOf(home);
    const old = servers();
    const down = partloop(home, {}, 'down');
    await until(() => stateOf(home).phase === 'stopping');
    const up = await partloop(home, {}, 'up', '--detach');
    assert.equal(up.code, 0, up.stderr);
    assert.equal((await down).code, 0);
    assert.ok(allEnded(old));
    assert.equal(stateOf(home).phase, 'ready');
    assert.notEqual(stateOf(home).supervisor?.pid, supervisor?.pid);
  });

  it('two concurrent calls of `down` stop in order, without force', async () => {
    assert.equal((await partloop(home, {}, 'up', '--detach')).code, 0);
    const downs = await Promise.all([1, 2].map(() => partloop(home, {}, 'down')));
    for (const { code, stdout, stderr } of downs) {
      assert.equal(code, 0);
      assert.match(stdout + stderr, /Stopped\./);
    }
    assert.equal(stateOf(home).phase, 'stopped');
    const ends = Object.values(stateOf(home).processes).map(({ lastExit }) => lastExit);
    assert.ok(!ends.includes('SIGKILL'), ends.join(', '));
    assert.match((await partloop(home, {}, 'down')).stderr, /No local stack runs/);
  });

  it('a stack starts again right after SIGKILL of its supervisor, beside no old process', async () => {
    assert.equal((await partloop(home, {}, 'up', '--detach')).code, 0);
    for (let round = 0; round < 2; round += 1) {
      const { supervisor } = stateOf(home);
      assert.ok(supervisor);
      const old = servers();
      signalProcess(supervisor, 'SIGKILL');
      const up = await partloop(home, {}, 'up', '--detach');
      assert.equal(up.code, 0, up.stderr);
      assert.ok(allEnded(old));
      for (const { restarts } of Object.values(stateOf(home).processes)) assert.equal(restarts, 0);
    }
  });
});
