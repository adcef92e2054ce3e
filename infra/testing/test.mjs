/**
 * Every test, with all its set-up: `npm test`. Some of it: `npm test -- static mocha python` by part, `npm test --
 * scan` the test files of either language whose path has that word. The last line is `N passed, N failed`, after the
 * names of what failed; the exit code is 1 where anything did. With `--strict`, or where `CI` is set, a skipped test
 * fails unless `allowedSkips.json` names it.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STACK_FOLDERS, settled, unsteadyText } from './again.mjs';
import { inLanes } from './lanes.mjs';
import { failureText, RunRecord } from './runRecord.mjs';
import { forbiddenSkips } from './skips.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const MODULES = join(ROOT, 'node_modules');
const PYTHON = join(ROOT, '.venv', 'bin', 'python');
/** A suite that hangs is a failure, not a wait. */
const LIMIT_MS = 60 * 60 * 1000;

const totals = { passed: 0, failed: 0, skipped: 0 };
const brokenChecks = [];

/** Run a command with its output shown; returns exit code and text. */
function run(say, command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options });
    let text = '';
    const show = (chunk) => {
      say(chunk);
      text += chunk;
    };
    child.stdout.on('data', show);
    child.stderr.on('data', show);
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), LIMIT_MS);
    child.on('error', (error) => done({ code: 1, text: `${error.message}\n` }));
    child.on('close', (code) => {
      clearTimeout(timer);
      done({ code: code ?? 1, text });
    });
  });
}

/** A suite that counts its own tests: the words by which it reports them, and one failure where it broke off. */
async function suite(say, title, command, args, words, options) {
  const start = headline(say, title);
  const { code, text } = await run(say, command, args, options);
  const count = (word) => Number(text.match(new RegExp(`(\\d+) ${word}\\b`))?.[1] ?? 0);
  const failed = count(words.failed) + count(words.broken ?? words.failed) * (words.broken ? 1 : 0);
  totals.passed += count(words.passed);
  totals.skipped += count(words.skipped);
  const isBrokenOff = code !== 0 && failed === 0;
  totals.failed += isBrokenOff ? 1 : failed;
  if (isBrokenOff) brokenChecks.push(`${title} broke off (exit code ${code})`);
  footline(say, title, code, start);
}

/** A check that passes or fails as a whole. */
async function check(say, title, command, args, options) {
  const start = headline(say, title);
  const { code } = await run(say, command, args, options);
  totals[code === 0 ? 'passed' : 'failed'] += 1;
  if (code !== 0) brokenChecks.push(title);
  footline(say, title, code, start);
  return code === 0;
}

function headline(say, title) {
  say(`\n── ${title}\n`);
  return performance.now();
}

function footline(say, title, code, start) {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  say(`${title}: ${code === 0 ? 'ok' : `failed (exit code ${code})`}, ${seconds} s\n`);
}

const tool = (name, ...path) => [process.execPath, join(MODULES, name, ...path)];

async function staticChecks(say) {
  const [node, biome] = tool('@biomejs/biome', 'bin', 'biome');
  await check(say, 'style and lint', node, [biome, 'check', '.']);
  const [, tsc] = tool('typescript', 'bin', 'tsc');
  await check(say, 'types of the board in the browser', node, [tsc, '-p', 'board/client']);
  const [, depcruise] = tool('dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  await check(say, 'import rules', node, [depcruise, '.', '--config', '.dependency-cruiser.cjs', '--progress', 'none']);
  const [, knip] = tool('knip', 'bin', 'knip.js');
  await check(say, 'unused code', node, [knip, '--no-progress']);
}

/** Stacks take the usual ports where they are free, so they run one at a time. */
const STACKS = `dist/test/{${STACK_FOLDERS.join()}}/**/*.test.js`;

function mochaCommand(files) {
  const [node, mocha] = tool('mocha', 'bin', 'mocha.js');
  const reporter = join(ROOT, 'infra', 'testing', 'recordingReporter.cjs');
  return [node, [mocha, '--reporter', reporter, ...files]];
}
async function mochaTests(say, title, files) {
  const words = { passed: 'passing', failed: 'failing', skipped: 'pending' };
  await suite(say, title, ...mochaCommand(files), words, { env: record.environment });
}
async function passesAlone(file) {
  const title = `again, alone: ${relative(join(ROOT, 'dist'), file)}`;
  const start = headline(show, title);
  const { code } = await run(show, ...mochaCommand([file]), { env: { ...process.env, PARTLOOP_TEST_RECORD: devNull } });
  footline(show, title, code, start);
  return code === 0;
}
const stackTests = (say) => mochaTests(say, 'TypeScript tests with a stack', [STACKS]);
const otherTests = (say) => mochaTests(say, 'TypeScript tests', ['dist/test/**/*.test.js', '--ignore', STACKS]);

const TRAINER = join(ROOT, 'trainer');

async function pytest(say, files) {
  const words = { passed: 'passed', failed: 'failed', broken: 'errors?', skipped: 'skipped' };
  const args = ['-m', 'pytest', '--color=no', `--junitxml=${record.junit}`, ...files];
  await suite(say, 'trainer tests', PYTHON, args, words, { cwd: TRAINER });
}

async function pythonTests(say) {
  await check(say, 'trainer style', PYTHON, ['-m', 'ruff', 'check', '.'], { cwd: TRAINER });
  const pyright = { cwd: TRAINER, env: { ...process.env, PYRIGHT_PYTHON_IGNORE_WARNINGS: '1' } };
  await check(say, 'trainer types', PYTHON, ['-m', 'pyright', '--pythonpath', PYTHON], pyright);
  await pytest(say, []);
}

/** Test files of a folder whose path has a word. */
function testFiles(folder, pattern, word) {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path}`)
    .filter((path) => pattern.test(path) && path.includes(word));
}

/** What each part runs, the longest first. Stacks wait more than they work, so that something else fits beside them. */
const parts = { static: [staticChecks], mocha: [stackTests, otherTests], python: [pythonTests] };
const LANES = 2;
const STRICT = '--strict';
const isStrict = process.argv.includes(STRICT) || Boolean(process.env.CI);
const asked = process.argv.slice(2).filter((word) => word !== STRICT);
const names = asked.filter((name) => Object.hasOwn(parts, name));
const words = asked.filter((name) => !names.includes(name));
const chosen = words.map((word) => ({
  typescript: testFiles('test', /\.test\.ts$/, word).map((path) => path.replace(/^(.*)\.ts$/, 'dist/$1.js')),
  python: testFiles('trainer/tests', /test_\w+\.py$/, word).map((path) => path.replace(/^trainer\//, '')),
}));
const nothing = words.find((_, at) => chosen[at].typescript.length + chosen[at].python.length === 0);
if (nothing !== undefined) {
  process.stderr.write(`no test file has \`${nothing}\` in its path; parts: ${Object.keys(parts).join(', ')}\n`);
  process.exit(2);
}
const start = performance.now();
const record = new RunRecord(ROOT);
const show = (text) => process.stdout.write(text);
const isSetUp = await check(show, 'set-up', process.execPath, [join(ROOT, 'infra', 'bootstrap.mjs')]);
if (isSetUp) {
  const files = (language) => [...new Set(chosen.flatMap((each) => each[language]))];
  const [typescript, python] = [files('typescript'), files('python')];
  await inLanes(
    [
      ...(asked.length === 0 ? Object.keys(parts) : names).flatMap((name) => parts[name]),
      ...(typescript.length > 0 ? [(say) => mochaTests(say, 'TypeScript tests', typescript)] : []),
      ...(python.length > 0 ? [(say) => pytest(say, python)] : []),
    ],
    LANES,
  );
}

const { slowest, failures, skipped } = record.take();
// A file that was asked for by a word ran alone, or nearly so.
const isWhole = words.length === 0;
const { failed, unsteady } = isWhole ? await settled(ROOT, failures, passesAlone) : { failed: failures, unsteady: [] };
totals.failed -= unsteady.length;
totals.passed += unsteady.length;
const forbidden = isStrict ? forbiddenSkips(skipped) : [];
totals.failed += forbidden.length;
totals.skipped -= forbidden.length;
if (slowest.length > 0) show(`\n── slowest test files\n${slowest.join('\n')}\n`);
const broken = [...brokenChecks, ...[...failed, ...forbidden].map(failureText)];
if (broken.length > 0) show(`\n── failed\n${broken.join('\n')}\n`);
if (unsteady.length > 0) show(`\n${unsteady.map(unsteadyText).join('\n')}\n`);
show(`\n${totals.skipped} skipped, ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
show(`${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;
