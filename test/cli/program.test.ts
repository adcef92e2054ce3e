import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { z } from 'zod';
import { buildProgram } from '../../cli/program.js';
import { PartloopError } from '../../domain/base/errors.js';
import { ROOT } from '../support/binaries.js';
import { type CliAnswer, partloop } from '../support/cli.js';

const errorSchema = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    hint: z.string().nullable(),
    exitCode: z.number(),
  }),
});

const downSchema = z.strictObject({ home: z.string(), stopped: z.boolean() });

/** Faults before anything starts, so that no stack is needed. */
describe('the command line', function () {
  this.timeout(60_000);
  let home: string;
  const run = (...args: string[]): Promise<CliAnswer> => partloop(home, args);

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-cli-'));
  });
  after(() => rm(home, { recursive: true, force: true }));

  it('suggests the nearest command and option, and ends with 2', async () => {
    for (const [args, words] of [
      [['sca'], /unknown command 'sca'\s+\(Did you mean scan\?\)\nhint: `partloop --help`/],
      [['scan', 'rn'], /unknown command 'rn'\s+\(Did you mean run\?\)\nhint: `partloop scan --help`/],
      [['status', '--jsn'], /\(Did you mean --json\?\)\nhint: `partloop status --help`/],
      [['constructor'], /unknown command 'constructor'/],
      [['pool', 'stats'], /missing required argument 'name'/],
      [['pool', 'stats', 'a', 'b'], /too many arguments/],
      [['scan', 'run'], /required option '--pool <pool>' not specified/],
      [['scan', 'show', 'x', '--top', '0'], /whole number from 1/],
      [['loop', 'start', '--seed', '0x10'], /`0x10` is not a decimal number/],
    ] as const) {
      const { error, said } = await refusal(args);
      assert.match(said, words);
      assert.ok(error instanceof CommanderError && error.exitCode !== 0, args.join(' '));
    }
    const { code, stdout, stderr } = await run('sca');
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /Did you mean scan/);
  });

  it('refuses settings at once, before it starts anything', async () => {
    for (const [args, words] of [
      [['loop', 'start', '--set', 'train=400'], /--set train=400: .*it has preset,.*iterations/],
      [['loop', 'start', '--set', 'train.iteratons=4'], /did you mean `train\.iterations`\?/],
      [['loop', 'start', '--batch-size', '1.5'], /--batch-size: 1\.5 is not allowed; allowed: integer 1–4096/],
      [['loop', 'start', '--train-iterations', '3', '--set', 'train.iterations=4'], /set the same thing/],
      [['scan', 'run', '--pool', 'x', '--set', 'scan.folds=1'], /--set scan\.folds=1: 1 is not allowed/],
      [['scan', 'run', '--pool', 'x', '--cross-validate', '2', '--set', 'scan.folds=3'], /set the same thing/],
      [['scan', 'run', '--pool', 'x', '--unseen'], /no --model is given/],
      [['scan', 'run', '--pool', 'x', '--model', 'a.onnx', '--cross-validate', '2'], /exclude each other/],
      [['schedule', 'create', 'No Way'], /a–z, 0–9/],
      [['schedule', 'create', 'n', '--every', '5x'], /--every 5x: expected minutes/],
      [['schedule', 'create', 'n', '--every', '1d', '--cron', '* * * * *'], /exclude each other/],
      [['schedule', 'create', 'n', '--cron', '0 3 * * *', '--time-zone', 'Mars/Base'], /no such time zone/],
      [['schedule', 'create', 'n', '--time-zone', 'Europe/Berlin'], /needs --cron/],
      [['train', 'lr-find', '--pool', 'x', '--set', 'train.imageSize=33'], /multiple of 32/],
    ] as const) {
      const { error, said } = await refusal(args);
      assert.match(error instanceof PartloopError ? error.message : said, words);
    }
    const { code, stderr } = await run('loop', 'start', '--set', 'train=400');
    assert.equal(code, 2);
    assert.match(stderr, /^error: --set train=400: .*\nhint: /);
    assert.match((await run('status')).stdout, /never started/);
  });

  it('gives one JSON object with --json, even if it fails', async () => {
    for (const args of [
      ['loop', 'start', '--set', 'train=400'],
      ['scan', 'nope'],
      ['loop', 'start', '--seed', 'x'],
    ]) {
      const { code, stdout } = await run(...args, '--json');
      const { error } = errorSchema.parse(JSON.parse(stdout));
      assert.deepEqual([error.exitCode, error.code], [code, 'input-invalid'], args.join(' '));
    }
    for (const args of [['status']]) assert.equal(typeof JSON.parse((await run(...args, '--json')).stdout), 'object');
  });

  it('offers --json with every command that prints anything of its own', async () => {
    // These print a document: JSON already, or a page.
    const documents = ['pool taxonomy', 'ingest rules', 'config schema', 'config docs'];
    const without = leaves(await buildProgram()).filter(
      ({ path, command }) =>
        !documents.includes(path) && !command.options.some(({ long, mandatory }) => long === '--json' && !mandatory),
    );
    assert.deepEqual(
      without.map(({ path }) => path),
      [],
    );
  });

  it('says with --json whether there was a stack to stop', async () => {
    const { code, stdout } = await run('down', '--json');
    assert.equal(code, 0);
    assert.deepEqual(downSchema.parse(JSON.parse(stdout)), { home, stopped: false });
  });

  it('never prints control characters from outside unescaped', async () => {
    const { stderr } = await run('pool', 'taxonomy', 'a\u001b[2J\nerror: b\u202e.json');
    assert.ok(!stderr.includes('\u001b') && !stderr.includes('\u202e'), JSON.stringify(stderr));
    assert.ok(!/^error: b/m.test(stderr), stderr);
    assert.match(stderr, /a\\x1b\[2J/);
  });

  it('ends silently if the reader of its output has left', async () => {
    const main = join(ROOT, 'dist', 'cli', 'main.js');
    for (const command of ['config docs', 'status', 'nope']) {
      const script = `"${process.execPath}" "${main}" ${command} 2> >(cat >&2) | true; echo "ended with \${PIPESTATUS[0]}"`;
      const { stdout, stderr } = await bash(script, { ...process.env, PARTLOOP_HOME: home });
      assert.doesNotMatch(stderr, /EPIPE|at .*\.js|node:/, command);
      assert.match(stdout, /ended with (0|2|141)/, command);
    }
    const { stdout } = await bash(
      `"${process.execPath}" "${main}" nope 2>&1 >/dev/null | true; echo "\${PIPESTATUS[0]}"`,
    );
    assert.match(stdout, /^(2|141)$/m);
  });

  it('says so if it cannot write its output', async function () {
    if (process.platform !== 'linux') this.skip();
    const main = join(ROOT, 'dist', 'cli', 'main.js');
    const { stdout, stderr } = await bash(
      `"${process.execPath}" "${main}" config docs > /dev/full; echo "ended with $?"`,
    );
    assert.match(stderr, /error: the output cannot be written: .*no space left/i);
    assert.match(stdout, /ended with 2/);
  });
});

function leaves(command: Command, path = ''): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path, command }];
  return command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`.trim()));
}

/** How a command that goes no further than its options is refused: the error, and what was said of it. */
async function refusal(args: readonly string[]): Promise<{ error: unknown; said: string }> {
  const program = await buildProgram(args);
  let said = '';
  const listen = (command: Command): void => {
    command.configureOutput({
      writeErr: (text) => {
        said += text;
      },
    });
    command.commands.forEach(listen);
  };
  listen(program);
  try {
    await program.parseAsync(['node', 'partloop', ...args]);
  } catch (error) {
    return { error, said };
  }
  throw new Error(`partloop ${args.join(' ')} was not refused`);
}

function bash(script: string, env: NodeJS.ProcessEnv = process.env): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    execFile('bash', ['-c', script], { env }, (error, stdout, stderr) =>
      error === null ? resolve({ stdout, stderr }) : reject(error),
    );
  });
}
