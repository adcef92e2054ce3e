import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../infra/home.js';

/** A copy of what the set-up reads, so that it can fail without touching this checkout. */
function copyCheckout({ withModules }: { withModules: boolean }): string {
  const folder = mkdtempSync(join(tmpdir(), 'partloop-clone-'));
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', '.npmrc', 'infra']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  mkdirSync(join(folder, 'trainer'));
  for (const name of ['pyproject.toml', 'requirements-cpu.lock.txt', 'requirements-default.lock.txt']) {
    cpSync(join(ROOT, 'trainer', name), join(folder, 'trainer', name));
  }
  if (withModules) symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** A program that answers the set-up's question as a Python of this kind would. */
function fakePython(
  folder: string,
  facts: { version: number[]; venv: boolean; ensurepip: boolean; pip: boolean },
): string {
  const path = join(folder, 'fake-python');
  writeFileSync(path, `#!/bin/sh\necho '${JSON.stringify({ ...facts, path })}'\n`);
  chmodSync(path, 0o755);
  return path;
}

function bootstrap(folder: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [join(folder, 'infra', 'bootstrap.mjs')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  return new Promise((done) => child.once('close', (code) => done({ code, said })));
}

describe('the set-up', function () {
  this.timeout(60_000);
  const folders: string[] = [];
  const clone = (options: { withModules: boolean }): string => {
    const folder = copyCheckout(options);
    folders.push(folder);
    return folder;
  };
  const complete = { version: [3, 11, 2], venv: true, ensurepip: true, pip: true };

  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it('says in one sentence what to do if Python is missing', async () => {
    const { code, said } = await bootstrap(clone({ withModules: true }), { PARTLOOP_PYTHON: '/no/such/python' });
    assert.equal(code, 1);
    assert.match(
      said,
      /^\s*No Python was found: install Python 3\.10 or newer .*apt install python3 python3-venv.*\n$/,
    );
  });

  it('says so if Python is too old', async () => {
    const folder = clone({ withModules: true });
    const PARTLOOP_PYTHON = fakePython(folder, { ...complete, version: [3, 9, 18] });
    const { code, said } = await bootstrap(folder, { PARTLOOP_PYTHON });
    assert.equal(code, 1);
    assert.match(said, /^\s*Python 3\.9\.18 is too old: install Python 3\.10 or newer/);
  });

  it("names the package to install if Debian's Python lacks venv and pip", async () => {
    const folder = clone({ withModules: true });
    const PARTLOOP_PYTHON = fakePython(folder, { ...complete, ensurepip: false, pip: false });
    const { code, said } = await bootstrap(folder, { PARTLOOP_PYTHON });
    assert.equal(code, 1);
    assert.match(said, /apt install python3\.11-venv/);
  });

  it('says which values a variable may have', async () => {
    const folder = clone({ withModules: true });
    const PARTLOOP_PYTHON = fakePython(folder, complete);
    for (const [variable, message] of [
      [{ PARTLOOP_TORCH: 'gpu' }, /PARTLOOP_TORCH is `gpu`, but must be `cpu` or `default`/],
      [{ PARTLOOP_TORCH_INDEX: 'mirror' }, /PARTLOOP_TORCH_INDEX is `mirror`, but must be an address/],
    ] as const) {
      const { code, said } = await bootstrap(folder, { PARTLOOP_PYTHON, ...variable });
      assert.equal(code, 1);
      assert.match(said, message);
    }
  });

  it('says so if there is no network', async () => {
    const unreachable = {
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_fetch_retries: '0',
      npm_config_offline: 'false',
    };
    const cache = { npm_config_cache: mkdtempSync(join(tmpdir(), 'partloop-cache-')) };
    folders.push(cache.npm_config_cache);
    const { code, said } = await bootstrap(clone({ withModules: false }), { ...unreachable, ...cache });
    assert.equal(code, 1);
    assert.match(said, /npm ci could not reach the package registry: check the network/);
  });

  it('does nothing if everything is in place', async function () {
    if (!existsSync(join(ROOT, 'dist', '.partloop-build.json'))) return this.skip();
    const { code, said } = await bootstrap(ROOT, {});
    assert.equal(code, 0, said);
    assert.match(said, /^Set-up is complete/);
  });
});

describe('the lock files', () => {
  it('name no download address, and hash every package', () => {
    for (const name of ['cpu', 'default']) {
      const lock = readFileSync(join(ROOT, 'trainer', `requirements-${name}.lock.txt`), 'utf8');
      assert.doesNotMatch(lock, /https?:|--index|--find-links/);
      for (const block of lock.trimEnd().split(/\n(?=\S)/))
        assert.match(block, /--hash=sha256:[0-9a-f]{64}/, block.slice(0, 60));
    }
    assert.doesNotMatch(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'), /"resolved"/);
  });
});
