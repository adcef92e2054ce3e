import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ROOT } from '../../infra/home.js';

const run = promisify(execFile);
const TESTING = join(ROOT, 'infra', 'testing');

/** The output of a program that may import the parts of `npm test`. */
async function printed(program: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: TESTING });
  return stdout;
}

describe('`npm test`', function () {
  this.timeout(60_000);

  it('runs suites in parallel and shows their output one after the other', async () => {
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

  it('names the ten slowest files with their seconds, in TypeScript and Python', async () => {
    const said = await printed(`
      import { writeFileSync } from 'node:fs';
      import { failureText, RunRecord } from './runRecord.mjs';
      const record = new RunRecord('/checkout');
      const lines = Array.from({ length: 12 }, (_, n) => ({ file: '/checkout/dist/test/a' + n + '.test.js', seconds: n }));
      lines.push({ file: '/checkout/dist/test/a3.test.js', seconds: 30.25 });
      writeFileSync(record.environment.PARTLOOP_TEST_RECORD, lines.map((line) => JSON.stringify(line) + '\\n').join(''));
      writeFileSync(record.junit, [7.5, 1].map((time, n) =>
        '<testcase classname="tests.run.test_resume" name="n' + n + '" time="' + time + '" />').join(''));
      console.log(record.take().slowest.join('\\n'));
    `);
    const lines = said.trimEnd().split('\n');
    assert.equal(lines.length, 10);
    assert.equal(lines[0]?.trim(), '33.3 s  test/a3.test.ts');
    assert.equal(lines[4]?.trim(), '8.5 s  trainer/tests/run/test_resume.py');
    assert.equal(lines.at(-1)?.trim(), '4.0 s  test/a4.test.ts');
  });

  it('names all failures at the end, in TypeScript and Python, so that the tail of a log shows them', async () => {
    const said = await printed(`
      import { writeFileSync } from 'node:fs';
      import { failureText, RunRecord } from './runRecord.mjs';
      const record = new RunRecord('/checkout');
      const line = JSON.stringify({ failed: 'a loop runs', why: 'it\\nstood still' });
      writeFileSync(record.environment.PARTLOOP_TEST_RECORD, line + '\\n');
      const cases = [
        '<testcase classname="tests.run.test_resume" name="test_well" time="1.0" />',
        '<testcase classname="tests.run.test_resume.TestBits" name="test_bits" time="2.0"><failure message="differs">at ...</failure></testcase>',
        '<testcase classname="tests.run.test_resume" name="test_skipped" time="0.0"><skipped message="no GPU" /></testcase>',
      ];
      writeFileSync(record.junit, cases.join(''));
      console.log(record.take().failures.map(failureText).join('\\n'));
    `);
    assert.deepEqual(said.trimEnd().split('\n'), [
      ...['a loop runs', '    it stood still'],
      ...['trainer/tests/run/test_resume.py test_bits', '    differs'],
    ]);
  });

  it('fails if a test is skipped without permission, in TypeScript and Python, and names it', async () => {
    const said = await printed(`
      import { writeFileSync } from 'node:fs';
      import { RunRecord } from './runRecord.mjs';
      import { forbiddenSkips } from './skips.mjs';
      const record = new RunRecord('/checkout');
      const titles = ['a loop runs', 'a disk is small'];
      writeFileSync(record.environment.PARTLOOP_TEST_RECORD, titles.map((skipped) => JSON.stringify({ skipped }) + '\\n').join(''));
      writeFileSync(record.junit, ['test_gpu', 'test_disk'].map((name) =>
        '<testcase classname="tests.run.test_room" name="' + name + '" time="0.0"><skipped type="pytest.skip" message="no" /></testcase>').join(''));
      const allowed = new Map([['a disk is small', 'x'], ['trainer/tests/run/test_room.py test_disk', 'x'], ['a loop', 'x']]);
      console.log(forbiddenSkips(record.take().skipped, allowed).map(({ title }) => title).join('\\n'));
    `);
    assert.deepEqual(said.trimEnd().split('\n'), ['a loop runs', 'trainer/tests/run/test_room.py test_gpu']);
  });

  it('permits skips only of existing tests, each with its reason', async () => {
    const list = z
      .array(z.strictObject({ why: z.string().min(10), tests: z.array(z.string()).min(1) }))
      .parse(JSON.parse(await readFile(join(TESTING, 'allowedSkips.json'), 'utf8')));
    const known = await titles();
    const gone = list.flatMap(({ tests }) => tests).filter((title) => !known.some((pattern) => pattern.test(title)));
    assert.deepEqual(gone, []);
  });

  it('runs a failed stack file again, alone, and calls it unsteady if it passes then', async () => {
    const said = await printed(`
      import { settled, unsteadyText } from './again.mjs';
      const failure = (title, file) => ({ title, why: 'late', file: file && '/checkout/dist/test/' + file });
      const failures = [
        failure('a worker starts', 'infra/start.test.js'), failure('and stops', 'infra/start.test.js'),
        failure('a loop runs', 'integration/loop.test.js'), failure('a sum', 'domain/infra/sum.test.js'),
        failure('a weight', undefined),
      ];
      const again = [];
      const { failed, unsteady } = await settled('/checkout', failures, async (file) => {
        again.push(file.slice('/checkout/dist/test/'.length));
        return file.endsWith('start.test.js');
      });
      console.log(JSON.stringify({ again, failed: failed.map(({ title }) => title), unsteady: unsteady.map(unsteadyText) }));
    `);
    assert.deepEqual(JSON.parse(said), {
      again: ['infra/start.test.js', 'integration/loop.test.js'],
      failed: ['a loop runs', 'a sum', 'a weight'],
      unsteady: [
        'unsteady: a worker starts failed in the full run and passed alone: late',
        'unsteady: and stops failed in the full run and passed alone: late',
      ],
    });
  });

  it('records failures with their files, and skipped tests, also those of a hook', async () => {
    const { code, lines } = await recorded(`
      describe('one', () => { it('is skipped', function () { this.skip(); }); it('fails', () => { throw new Error('no'); }); });
      describe('two', () => { before(function () { this.skip(); }); it('waits', () => {}); });
    `);
    assert.equal(code, 1);
    const [failure] = lines.filter(({ failed }) => failed !== undefined);
    assert.equal(failure?.failed, 'one fails');
    assert.match(failure?.by ?? '', /some\.cjs$/);
    assert.deepEqual(
      lines.flatMap(({ skipped }) => skipped ?? []),
      ['one is skipped', 'two waits'],
    );
  });

  it('says why a test failed, with what caused the error', async () => {
    const { lines } = await recorded(
      `it('fails', () => { throw new Error('update failed', { cause: new Error('no such loop') }); });`,
    );
    assert.equal(lines.find(({ failed }) => failed !== undefined)?.why, 'update failed, since no such loop');
  });

  it('times a file with its hooks, and reports as Mocha does', async () => {
    const wait = '(done) => setTimeout(done, 150)';
    const { stdout, lines } = await recorded(
      `describe('one', () => { before(${wait}); it('passes', ${wait}); after(${wait}); });`,
    );
    assert.match(stdout, /1 passing/);
    const [{ file, seconds } = {}] = lines;
    assert.match(String(file), /some\.cjs$/);
    assert.ok(Number(seconds) > 0.4, `${seconds} s`);
  });

  it('ends a run that something keeps alive after its last test, and says so', async () => {
    const { code, stderr, lines } = await recorded(
      `it('leaves a timer behind', () => { setInterval(() => {}, 1_000); });`,
      { PARTLOOP_TEST_LEFT_BEHIND_MS: '100' },
    );
    assert.equal(code, 1);
    assert.match(stderr, /keeps the process alive: .*Timeout/);
    assert.equal(lines.at(-1)?.failed, 'the end of the run');
  });
});

const lineSchema = z.looseObject({
  file: z.string().optional(),
  seconds: z.number().optional(),
  failed: z.string().optional(),
  why: z.string().optional(),
  by: z.string().optional(),
  skipped: z.string().optional(),
});

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** The full titles of tests according to the sources: the names of a file's suites, then that of a test. */
async function titles(): Promise<RegExp[]> {
  const name = (text: string): string => escaped(text.replaceAll(/\$\{[^}]*\}/g, '\0')).replaceAll('\0', '.*');
  const named = (text: string, call: string): string[] =>
    [...text.matchAll(new RegExp(`\\b${call}\\(\\s*(['\`])(.*?)\\1`, 'g'))].map(([, , found = '']) => name(found));
  const read = async (folder: string, ending: RegExp) =>
    Promise.all(
      (await readdir(join(ROOT, folder), { recursive: true }))
        .filter((path) => ending.test(path))
        .map(async (path) => [path, await readFile(join(ROOT, folder, path), 'utf8')] as const),
    );
  const mocha = (await read('test', /\.test\.ts$/)).map(
    ([, text]) => new RegExp(`^(${named(text, 'describe').join('|')}) .*(${named(text, 'it').join('|')})$`, 's'),
  );
  const pytest = (await read('trainer/tests', /\btest_\w+\.py$/)).flatMap(([file, text]) =>
    [...text.matchAll(/^def (test_\w+)/gm)].map(([, test]) => new RegExp(`^trainer/tests/${file} ${test}$`)),
  );
  return [...mocha, ...pytest];
}

/** Run a test file with the reporter of `npm test`. */
async function recorded(
  test: string,
  environment: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string; lines: z.infer<typeof lineSchema>[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'pl-record-'));
  try {
    const file = join(folder, 'some.cjs');
    await writeFile(file, test);
    const record = join(folder, 'record.jsonl');
    const mocha = join(ROOT, 'node_modules', 'mocha', 'bin', 'mocha.js');
    const args = [mocha, '--no-config', '--reporter', join(TESTING, 'recordingReporter.cjs'), file];
    const env = { ...process.env, PARTLOOP_TEST_RECORD: record, ...environment };
    const said = await new Promise<{ code: number; stdout: string; stderr: string }>((done) =>
      execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
        done({ code: Number(error?.code ?? 0), stdout, stderr }),
      ),
    );
    const text = await readFile(record, 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => lineSchema.parse(JSON.parse(line)));
    return { ...said, lines };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
