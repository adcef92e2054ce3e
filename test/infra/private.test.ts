import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths, makeHome } from '../../infra/home.js';
import { spawnGuarded } from '../../infra/processes/guard.js';
import { loadCredentials } from '../../infra/services/credentials.js';
import { makeTestHome, partloop } from './home.js';

interface Found {
  path: string;
  mode: number;
  isFolder: boolean;
  isFile: boolean;
}

/**
 * What runs in the folder makes and removes files meanwhile, such as the journal of a database: null if one is gone.
 */
function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Everything below a folder, without the folder itself. */
function below(folder: string): Found[] {
  const entries = ifThere(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    const mode = ifThere(() => statSync(path).mode & 0o777);
    if (mode === null) return [];
    const found = { path, mode, isFolder: entry.isDirectory(), isFile: entry.isFile() };
    return entry.isDirectory() ? [found, ...below(path)] : [found];
  });
}

const open = (found: readonly Found[]): string[] =>
  found.filter(({ mode }) => (mode & 0o077) !== 0).map(({ path, mode }) => `${path} ${mode.toString(8)}`);

describe('a home in a folder that others may read', function () {
  this.timeout(120_000);
  let home: string;
  let remove: () => Promise<void>;

  before(async () => {
    ({ home, remove } = await makeTestHome());
    chmodSync(home, 0o755);
    writeFileSync(join(home, 'notes.txt'), 'the user’s own', { mode: 0o644 });
    const before = process.umask(0o022);
    try {
      const { code, stderr } = await partloop(home, {}, 'up', '--detach');
      assert.equal(code, 0, stderr);
    } finally {
      process.umask(before);
    }
  });

  after(async () => {
    await partloop(home, {}, 'down', '--force');
    await remove();
  });

  const ours = (): Found[] => below(home).filter(({ path }) => path !== join(home, 'notes.txt'));

  it('holds nothing of ours that anybody else may read, whatever made it; what is not ours stays as it is', () => {
    assert.ok(ours().length > 20);
    assert.deepEqual(open(ours()), []);
    assert.equal(statSync(home).mode & 0o777, 0o755);
    assert.equal(statSync(join(home, 'notes.txt')).mode & 0o777, 0o644);
  });

  it('tells no secret in arguments, logs, state or the database', () => {
    const { accessKeyId, secretAccessKey, internalKey, certificateKey } = loadCredentials(home);
    const secrets = [accessKeyId, secretAccessKey, internalKey, certificateKey.split('\n')[1] ?? ''];
    for (const secret of secrets) assert.ok(secret.length > 15);
    const args = execFileSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    for (const secret of secrets) assert.ok(!args.includes(secret), 'arguments of a process');
    const { credentials, seaweed } = homePaths(home);
    let read = 0;
    for (const { path, isFile } of ours()) {
      if (!isFile || path === credentials || path.startsWith(join(seaweed, 'config'))) continue;
      const content = ifThere(() => readFileSync(path));
      if (content === null) continue;
      read += 1;
      for (const secret of secrets) assert.ok(!content.includes(secret), path);
    }
    assert.ok(read > 5, `${read} files read`);
  });

  it('is closed again at the next start where an earlier version left it open', async () => {
    assert.equal((await partloop(home, {}, 'down')).code, 0);
    for (const { path, isFolder } of ours()) chmodSync(path, isFolder ? 0o755 : 0o644);
    assert.equal((await partloop(home, {}, 'up', '--detach')).code, 0);
    // What lies deeper is out of reach behind these.
    const top = ours().filter(({ path }) => !path.slice(home.length + 1).includes('/'));
    assert.ok(top.length > 8);
    assert.deepEqual(open(top), []);
    assert.equal(statSync(join(home, 'notes.txt')).mode & 0o777, 0o644);
  });
});

describe('a home', () => {
  it('that cannot be made is named, with what to do', async () => {
    const { home, remove } = await makeTestHome();
    const file = join(home, 'file');
    writeFileSync(file, '');
    for (const place of [file, join(file, 'below')]) {
      assert.throws(() => makeHome(place), { code: 'setup-incomplete', message: new RegExp(`^${place} cannot hold`) });
    }
    const { code, stderr } = await partloop(file, {}, 'up', '--detach');
    assert.equal(code, 7);
    assert.match(stderr, /cannot hold the state of partloop: (EEXIST|ENOTDIR).*\n.*Set PARTLOOP_HOME to a folder/);
    await remove();
  });

  it('may have a path longer than a socket’s', async function () {
    this.timeout(60_000);
    const { home: short, remove } = await makeTestHome();
    const home = join(short, 'x'.repeat(120));
    mkdirSync(home);
    try {
      const { code, stderr } = await partloop(home, {}, 'up', '--detach');
      assert.equal(code, 0, stderr);
      assert.equal((await partloop(home, {}, 'down')).code, 0);
    } finally {
      await partloop(home, {}, 'down', '--force');
      await remove();
    }
  });
});

describe('a program that is started again and again', () => {
  it('costs its supervisor no descriptor', async function () {
    this.timeout(60_000);
    if (process.platform !== 'linux') return this.skip();
    const { home, remove } = await makeTestHome();
    const runOnce = async (): Promise<void> => {
      const child = spawnGuarded({
        command: 'true',
        args: [],
        env: process.env,
        cwd: home,
        logFile: join(home, 'true.log'),
      });
      await once(child, 'close');
    };
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    await runOnce();
    const before = descriptors();
    for (let restart = 0; restart < 50; restart += 1) await runOnce();
    assert.equal(descriptors(), before);
    await remove();
  });
});
