import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../infra/home.js';

const run = promisify(execFile);
const TESTING = join(ROOT, 'infra', 'testing');

/** What a program prints that may import the parts of `npm test`. */
async function printed(program: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: TESTING });
  return stdout;
}

describe('`npm test`', function () {
  this.timeout(60_000);

  it('runs suites beside each other and shows what they say in turn', async () => {
    const said = await printed(`
      import { inLanes } from './lanes.mjs';
      let letGo;
      const held = new Promise((resolve) => { letGo = resolve; });
      await inLanes([
        async (say) => { say('a1 '); await held; say('a2 '); },
        async (say) => { say('b1 '); await null; say('b2 '); },
        async (say) => { say('c1 '); letGo(); },
      ], 2);
    `);
    assert.equal(said, 'a1 a2 b1 b2 c1 ');
  });

  it('names the ten slowest files with their seconds, of TypeScript and of Python', async () => {
    const said = await printed(`
      import { writeFileSync } from 'node:fs';
      import { FileTimes } from './slowest.mjs';
      const times = new FileTimes('/checkout');
      const lines = Array.from({ length: 12 }, (_, n) => ({ file: '/checkout/dist/test/a' + n + '.test.js', seconds: n }));
      lines.push({ file: '/checkout/dist/test/a3.test.js', seconds: 30.25 });
      writeFileSync(times.environment.PARTLOOP_TEST_TIMES, lines.map((line) => JSON.stringify(line) + '\\n').join(''));
      writeFileSync(times.junit, [7.5, 1].map((time, n) =>
        '<testcase classname="tests.test_resume" name="n' + n + '" time="' + time + '" />').join(''));
      console.log(times.take().join('\\n'));
    `);
    const lines = said.trimEnd().split('\n');
    assert.equal(lines.length, 10);
    assert.equal(lines[0]?.trim(), '33.3 s  test/a3.test.ts');
    assert.equal(lines[4]?.trim(), '8.5 s  trainer/tests/test_resume.py');
    assert.equal(lines.at(-1)?.trim(), '4.0 s  test/a4.test.ts');
  });

  it('times a file with its hooks, and reports as Mocha does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pl-times-'));
    try {
      const file = join(folder, 'slow.cjs');
      const wait = '(done) => setTimeout(done, 150)';
      await writeFile(file, `describe('one', () => { before(${wait}); it('passes', ${wait}); after(${wait}); });`);
      const times = join(folder, 'times.jsonl');
      const mocha = join(ROOT, 'node_modules', 'mocha', 'bin', 'mocha.js');
      const args = [mocha, '--no-config', '--reporter', join(TESTING, 'fileTimes.cjs'), file];
      const { stdout } = await run(process.execPath, args, { env: { ...process.env, PARTLOOP_TEST_TIMES: times } });
      assert.match(stdout, /1 passing/);
      const found: unknown = JSON.parse(await readFile(times, 'utf8'));
      assert.ok(typeof found === 'object' && found !== null && 'file' in found && 'seconds' in found);
      assert.equal(found.file, file);
      assert.ok(Number(found.seconds) > 0.4, `${found.seconds} s`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
