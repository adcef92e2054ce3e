import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Argument, Command, Option } from 'commander';
import { buildProgram } from '../../cli/program.js';
import type { CliAnswer } from '../support/cli.js';
import { partloopHere } from '../support/cliHere.js';
import { GROUPS_THAT_ACT } from './goodCalls.js';

/** A command with the words that call it. */
interface Called {
  words: string[];
  command: Command;
}

/** Values that some argument or option takes. */
const SAMPLES = ['cars', '1', 'draw', 'cars:1', 'csv', '0.5'];
/** No name, no number, no choice, and too long for a text. */
const NONSENSE = 'No Way! '.repeat(200);
/** These take a file or a name given elsewhere, which the command looks up. */
const ANY_NAME = [
  ...['review import', 'review undo', 'scan show', 'scan export', 'model eval'],
  ...['schedule trigger', 'schedule pause', 'schedule resume', 'schedule delete'],
];
const FAR_AWAY = 'http://127.0.0.1:9';

const tree = (command: Command, words: string[] = []): Called[] => [
  { words, command },
  ...command.commands.flatMap((child) => tree(child, [...words, child.name()])),
];
const isLeaf = ({ command, words }: Called): boolean =>
  command.commands.length === 0 || GROUPS_THAT_ACT.includes(words.join(' '));
/** The values so far of an option that takes several. */
const previous: never[] = [];
const inOneLine = (text: string): string => text.replace(/\s+/g, ' ');

/** Whether an argument or option takes a value; one without a check of its own takes any. */
function takes({ argChoices, parseArg }: Argument | Option, value: string): boolean {
  if (argChoices !== undefined) return argChoices.includes(value);
  try {
    parseArg?.(value, previous);
    return true;
  } catch {
    return false;
  }
}

const valueFor = (taker: Argument | Option): string =>
  taker.argChoices?.[0] ?? SAMPLES.find((value) => takes(taker, value)) ?? assert.fail(`a value for ${taker.name()}`);
const argumentsOf = ({ command }: Called): string[] =>
  command.registeredArguments.filter(({ required }) => required).map(valueFor);
const mandatoryOf = ({ command }: Called, but?: Option): string[] =>
  command.options
    .filter((option) => option.mandatory && option !== but)
    .flatMap((option) => [option.long ?? '', valueFor(option)]);

describe('every command', () => {
  let home: string;
  let called: Called[];
  /** Nothing is there that a command could reach, and none may start anything. */
  const run = (args: readonly string[]): Promise<CliAnswer> =>
    partloopHere(args, {
      PARTLOOP_HOME: home,
      TEMPORAL_ADDRESS: '127.0.0.1:9',
      PARTLOOP_STORE: 's3://partloop/store',
      AWS_ENDPOINT_URL_S3: FAR_AWAY,
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    });

  async function refused(args: readonly string[], ...words: readonly (string | RegExp)[]): Promise<void> {
    const what = `partloop ${args.join(' ')}`.slice(0, 200);
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 2, `${what}: ${stderr}`);
    assert.equal(stdout, '', what);
    assert.match(stderr, /^error: /, what);
    assert.doesNotMatch(stderr, /\n\s+at |node:internal|unexpected error/, what);
    for (const word of words)
      if (typeof word === 'string') assert.ok(inOneLine(stderr).includes(word), `${what}: ${word} is not in ${stderr}`);
      else assert.match(stderr, word, what);
  }

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-commands-'));
    called = tree(await buildProgram());
    assert.ok(called.length > 40);
  });
  after(() => rm(home, { recursive: true, force: true }));

  it('says with --help first what it does, and then everything that it takes', async () => {
    for (const { words, command } of called) {
      const { code, stdout, stderr } = await run([...words, '--help']);
      assert.deepEqual([code, stderr], [0, ''], words.join(' '));
      const [usage, what, ...rest] = stdout.split('\n\n');
      assert.ok(inOneLine(usage ?? '').startsWith(`Usage: ${['partloop', ...words].join(' ')} `), usage);
      assert.equal(inOneLine(what ?? ''), command.description());
      assert.notEqual(command.description(), '');
      const text = inOneLine(rest.join(' '));
      for (const { flags, description } of command.options)
        assert.ok(text.includes(flags) && description !== '', `${words.join(' ')} ${flags}`);
      for (const child of command.commands) assert.ok(text.includes(` ${child.name()} `), `${words} ${child.name()}`);
      for (const argument of command.registeredArguments) assert.ok(usage?.includes(argument.name()), usage);
    }
  });

  it('refuses an option that it does not have, and points to those that it has', async () => {
    for (const each of called.filter(isLeaf)) {
      const help = `\`partloop ${each.words.join(' ')} --help\` shows its arguments and options`;
      await refused([...each.words, ...argumentsOf(each), ...mandatoryOf(each), '--nope'], "option '--nope'", help);
    }
  });

  it('refuses a word that is no command of its group, and lists the commands', async () => {
    for (const { words, command } of called.filter((each) => !isLeaf(each)))
      await refused(
        [...words, 'nope'],
        "unknown command 'nope'",
        `Commands: ${command.commands.map((child) => child.name()).join(', ')}.`,
      );
  });

  it('refuses one word too many, and says how many it takes', async () => {
    for (const each of called.filter(isLeaf)) {
      const { registeredArguments } = each.command;
      const words = [...registeredArguments.map(valueFor), 'beyond'];
      const most = registeredArguments.length;
      await refused([...each.words, ...words, ...mandatoryOf(each)], `Expected ${most} argument`, `got ${most + 1}`);
    }
  });

  it('names the argument that is missing', async () => {
    for (const each of called.filter(isLeaf))
      for (const [at, argument] of each.command.registeredArguments.entries())
        if (argument.required)
          await refused(
            [...each.words, ...argumentsOf(each).slice(0, at), ...mandatoryOf(each)],
            `missing required argument '${argument.name()}'`,
          );
  });

  it('names the option that is missing', async () => {
    for (const each of called.filter(isLeaf))
      for (const option of each.command.options.filter(({ mandatory }) => mandatory))
        await refused(
          [...each.words, ...argumentsOf(each), ...mandatoryOf(each, option)],
          `required option '${option.flags}' not specified`,
        );
  });

  it('names an option whose value it refuses, and says what it takes', async () => {
    let options = 0;
    for (const { words, command } of called.filter(isLeaf))
      for (const option of command.options.filter((each) => !takes(each, NONSENSE))) {
        options += 1;
        const allowed = option.argChoices === undefined ? /is invalid\. \S+/ : option.argChoices.join(', ');
        await refused([...words, option.long ?? '', NONSENSE], `option '${option.flags}'`, allowed);
      }
    assert.ok(options > 10, `${options}`);
  });

  it('refuses an impossible name before it looks for services', async () => {
    for (const each of called.filter((one) => isLeaf(one) && !ANY_NAME.includes(one.words.join(' '))))
      for (const [at, argument] of each.command.registeredArguments.entries()) {
        const words = each.command.registeredArguments.map(valueFor).with(at, 'No Way!');
        const named = new RegExp(`argument '(No Way!|${argument.name()})'.*a–z|No Way!`);
        await refused([...each.words, ...words, ...mandatoryOf(each)], named);
      }
  });
});
