import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../../infra/home.js';
import { isElsewhere, KernelLock, livingHolder, takeLock } from '../../../infra/processes/lock.js';
import { refOf } from '../../../infra/processes/processes.js';

const CONTENDERS = 6;
const ROUNDS = 25;

describe('the lock of a home', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'pl-lock-'));
  const children = new Set<ChildProcess>();
  let files = 0;
  const newPath = (): string => {
    files += 1;
    return join(folder, `${files}.lock`);
  };

  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function contender(env: NodeJS.ProcessEnv = process.env): Promise<ChildProcess> {
    const child = fork(join(ROOT, 'dist', 'test', 'infra', 'processes', 'lockContender.js'), { env });
    children.add(child);
    await once(child, 'message');
    return child;
  }

  async function ask(child: ChildProcess, order: 'take' | 'share', path: string): Promise<number> {
    const answer = once(child, 'message');
    child.send({ order, path });
    const [{ pid }] = await answer;
    assert.equal(typeof pid, 'number');
    return pid;
  }

  async function kill(child: ChildProcess): Promise<void> {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    children.delete(child);
  }

  it(`goes to exactly one of ${CONTENDERS} processes at once after each kill of its holder`, async () => {
    const path = newPath();
    const alive = await Promise.all(Array.from({ length: CONTENDERS }, () => contender()));
    for (let round = 0; round < ROUNDS; round += 1) {
      const holders = await Promise.all(alive.map((child) => ask(child, 'take', path)));
      const winner = alive.find(({ pid }) => pid === holders[0]);
      assert.deepEqual([...new Set(holders)], [winner?.pid], `round ${round}`);
      assert.ok(winner);
      await kill(winner);
      alive.splice(alive.indexOf(winner), 1, await contender());
    }
    for (const child of alive) await kill(child);
  });

  it('is the same if `flock` is missing', async () => {
    const path = newPath();
    const without = await contender({ ...process.env, PATH: '/nowhere' });
    assert.equal(await ask(without, 'take', path), without.pid);
    assert.equal(KernelLock.tryTake(path), null);
    const other = await contender({ ...process.env, PATH: '/nowhere' });
    assert.equal(await ask(other, 'take', path), without.pid);
    await kill(without);
    assert.equal(await ask(other, 'take', path), other.pid);
    await kill(other);
  });

  it('stays with the programs of a killed holder until they end', async () => {
    const path = newPath();
    const holder = await contender();
    await ask(holder, 'take', path);
    const program = await ask(holder, 'share', path);
    await kill(holder);
    assert.equal(KernelLock.tryTake(path), null);
    const waits = takeLock(path);
    process.kill(program, 'SIGKILL');
    const lock = await waits;
    assert.ok(lock instanceof KernelLock);
    lock.release();
  });

  it('gives up waiting when told to', async () => {
    const path = newPath();
    const holder = KernelLock.tryTake(path);
    assert.ok(holder);
    const stop = new AbortController();
    const waits = takeLock(path, stop.signal);
    stop.abort();
    await assert.rejects(waits, { name: 'AbortError' });
    holder.release();
  });

  it('is not taken from a living process of a version that only signed the file', async () => {
    const path = newPath();
    const child = await contender();
    writeFileSync(path, JSON.stringify(refOf(child.pid ?? 0)));
    const answer = await takeLock(path);
    assert.ok(!(answer instanceof KernelLock));
    assert.equal(answer.pid, child.pid);
    await kill(child);
    const lock = await takeLock(path);
    assert.ok(lock instanceof KernelLock);
    lock.release();
  });

  it('is taken if its file names a process of an earlier boot whose pid and start time exist now', async function () {
    const own = refOf(process.pid);
    if (own?.boot === undefined) return this.skip();
    const path = newPath();
    writeFileSync(path, JSON.stringify({ ...own, boot: 'an earlier one' }));
    const lock = await takeLock(path);
    assert.ok(lock instanceof KernelLock);
    lock.release();
  });

  it('names the machine of a holder that it cannot see, and is taken once the file is free', async () => {
    const path = newPath();
    const elsewhere = { pid: 1, startTime: '1', host: 'another-machine' };
    const held = KernelLock.tryTake(path);
    assert.ok(held);
    writeFileSync(path, JSON.stringify(elsewhere));
    const answer = await takeLock(path);
    assert.ok(!(answer instanceof KernelLock));
    assert.ok(isElsewhere(answer));
    assert.deepEqual(livingHolder(path), elsewhere);
    held.abandon();
    const lock = await takeLock(path);
    assert.ok(lock instanceof KernelLock);
    lock.release();
  });

  it('is refused in plain words if the folder cannot hold it', async () => {
    const file = newPath();
    writeFileSync(file, '');
    await assert.rejects(takeLock(join(file, 'supervisor.lock')), {
      code: 'setup-incomplete',
      message: /cannot be opened: ENOTDIR/,
    });
  });
});
