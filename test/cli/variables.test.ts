import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/binaries.js';

describe('a variable with an impossible value', function () {
  this.timeout(60_000);
  const home = mkdtempSync(join(tmpdir(), 'pl-'));
  after(() => rmSync(home, { recursive: true, force: true }));

  const run = (...args: string[]): Promise<{ code: unknown; said: string }> =>
    new Promise((done) => {
      const env = { ...process.env, PARTLOOP_HOME: home, PARTLOOP_CACHE_GB: '10GB', PARTLOOP_STORE: 's3://a/b' };
      execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
        done({ code: error?.code ?? 0, said: stdout + stderr }),
      );
    });
  const message = /the environment variable PARTLOOP_CACHE_GB is `10GB`, but must be a number of gigabytes/;

  for (const args of [['status'], ['up', '--detach'], ['down'], ['pool', 'list']]) {
    it(`ends \`partloop ${args.join(' ')}\` before it does anything`, async () => {
      const { code, said } = await run(join(ROOT, 'dist', 'cli', 'main.js'), ...args);
      assert.equal(code, 2, said);
      assert.match(said, message);
      assert.deepEqual(readdirSync(home), []);
    });
  }

  it('ends a supervisor and a worker', async () => {
    for (const [main, ...args] of [
      ['infra/processes/supervisor.js'],
      ['workers/main.js', '--role', 'train'],
    ] as const) {
      const { code, said } = await run(join(ROOT, 'dist', main), ...args);
      assert.notEqual(code, 0);
      assert.match(said, message);
    }
    assert.deepEqual(readdirSync(home), []);
  });
});
