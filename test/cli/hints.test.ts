import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Command, Option } from 'commander';
import { buildProgram } from '../../cli/program.js';
import { fieldsOf } from '../../domain/base/schemaFields.js';
import { loopConfigSchema } from '../../domain/config.js';
import { ROOT } from '../support/binaries.js';
import { type PlacedText, pages, repositoryFiles, sourceTexts, trainerTexts } from '../support/sourceTexts.js';
import { GROUPS_THAT_ACT } from './goodCalls.js';

/** Options of other programs, in texts that tell how to call these. */
const FOREIGN_OPTIONS = new Set([
  ...['--pdeathsig', '--help', '--role'],
  // Of docker and kubectl.
  ...['--build-arg', '--from-literal', '--from-file'],
  // Of the demo, of node, and of Temporal's own command.
  ...[
    '--keep',
    '--initial-old-space-size',
    '--trace-gc',
    '--name',
    '--address',
    '--namespace',
    '--type',
    '--search-attribute',
    '--workflow-id',
    '--activity-id',
  ],
]);

/** Sections of the trainer's job: people give these settings as `train.…`. */
const SECTIONS_OF_THE_JOB = ['model', 'image', 'optim', 'loss', 'sampling', 'augment', 'export'];
/** Names of files and workflow fields that look like settings. */
const FILE_NAME = /\.(json|onnx|py|csv|ts|parquet|jsonl|pt|log|md|yaml|txt)$/;

interface CommandLine {
  where: string;
  line: string;
  /**
   * A whole line to be typed, which must have all that the command needs; else the name of a command with some options.
   */
  whole: boolean;
}

describe('hints, help and pages', () => {
  let program: Command;
  let texts: PlacedText[];

  before(async () => {
    program = await buildProgram();
    texts = sourceTexts();
  });

  it('name only commands that exist, with arguments and options that they take', () => {
    const lines = [
      ...texts.flatMap(({ where, text }) => inline(text).map((line) => ({ where, line, whole: false }))),
      ...pages().flatMap(({ name, text }) => pageLines(name, text)),
    ];
    assert.ok(lines.length > 100, `${lines.length} command lines`);
    assert.deepEqual(
      lines.flatMap((line) => problemOf(program, line)),
      [],
    );
  });

  it('name only options of a command that can print them', () => {
    const known = new Set(allCommands(program).flatMap(({ options }) => options.flatMap(({ long }) => long ?? [])));
    const named = [
      ...texts.filter(({ where, text }) => text.includes(' ') && !where.startsWith('report/')),
      ...pages().map(({ name, text }) => ({ where: name, text: withoutOtherPrograms(text) })),
    ].flatMap(({ where, text }) =>
      // Those of a whole command line are tried with it; scripts of the repository have options of their own.
      [...text.replaceAll(/`(?:(?:npx )?partloop|npm run) [^`]*`/g, '').matchAll(/(?<![\w-])--[a-z][a-z-]*[a-z]/g)].map(
        ([option]) => ({ where, option }),
      ),
    );
    assert.ok(named.length > 50, `${named.length} options`);
    const unknown = named.filter(
      ({ where, option }) => !FOREIGN_OPTIONS.has(option) && !(optionsOf(program, where) ?? known).has(option),
    );
    assert.deepEqual(unknown, []);
  });

  it('name only settings that exist, also in texts of the trainer', () => {
    const fields = fieldsOf(loopConfigSchema).map(({ path }) => path);
    const paths = new Set(
      fields.flatMap((path) => path.split('.').map((_, at, names) => names.slice(0, at + 1).join('.'))),
    );
    const groups = [...new Set([...fields.map((path) => path.split('.')[0] ?? ''), ...SECTIONS_OF_THE_JOB])];
    const setting = new RegExp(`(?<![\\w./-])((?:${groups.join('|')})(?:\\.[a-z][a-zA-Z]+)+)`, 'g');
    const said = [...texts.filter(({ text }) => text.includes(' ')), ...trainerTexts()].filter(
      ({ where }) => !where.startsWith('trainer/') || !/\/__main__\.py/.test(where),
    );
    const named = [...said, ...pages().map(({ name, text }) => ({ where: name, text }))].flatMap(({ where, text }) => [
      ...[...text.matchAll(setting)].map(([, path = '']) => ({ where, path })),
      ...[...text.matchAll(/--set ([a-zA-Z.]+)=/g)].map(([, path = '']) => ({ where, path })),
    ]);
    assert.ok(named.length > 20, `${named.length} settings`);
    assert.ok(named.some(({ where }) => where.startsWith('trainer/')));
    assert.deepEqual(
      named.filter(({ path }) => !paths.has(path) && !FILE_NAME.test(path) && path !== 'path'),
      [],
    );
  });

  it('never use a wrong singular or plural: counts of things come from one place', () => {
    const things =
      'images?|findings?|labels?|files|rows|pixels|folds|steps|objects|pictures|vehicles|verdicts|holes|scans';
    const bare = new RegExp(`(?<!of |least |most |than |at |\\(|first |\\w)x (?:${things})\\b`);
    assert.deepEqual(
      texts.filter(({ where, text }) => /^(cli|demo)\//.test(where) && bare.test(text)),
      [],
    );
  });

  it('name only files of the repository', () => {
    const files = new Set(repositoryFiles());
    const folders = [...new Set([...files].map((name) => name.split('/')[0] ?? ''))].filter((name) =>
      /^[a-z]+$/.test(name),
    );
    const pattern = new RegExp(`(?<![\\w./-])(?:${folders.join('|')})/[\\w./-]*[\\w/]`, 'g');
    // Files outside the repository: made by the set-up or by a command, or part of an example.
    const made = /^(dist|test)\/|^trainer\/requirements\.txt$/;
    const named = [
      ...texts.filter(({ text }) => /\.md\b|\bdocs\//.test(text)),
      ...pages().map(({ name, text }) => ({ where: name, text: text.replaceAll(/\]\([^)]*\)/g, ']') })),
    ].flatMap(({ where, text }) => [...text.matchAll(pattern)].map(([file]) => ({ where, file })));
    assert.ok(named.length > 20, `${named.length} files`);
    const missing = named.filter(({ file }) => !made.test(file) && !existsSync(join(ROOT, file)));
    assert.deepEqual(missing, []);
  });

  it('link only to files and headings that exist', () => {
    const broken = pages().flatMap(({ name, text }) =>
      linksOf(text).flatMap((target) => {
        if (/^https?:/.test(target)) return [];
        const [file = '', heading] = target.split('#');
        const path = file === '' ? name : normalize(join(dirname(name), file));
        if (!existsSync(join(ROOT, path))) return [{ name, target }];
        return heading === undefined || headingsOf(path).includes(heading) ? [] : [{ name, target }];
      }),
    );
    assert.deepEqual(broken, []);
  });

  it('list all decisions, each with a number of its own', () => {
    const files = repositoryFiles().flatMap((name) => /^docs\/decisions\/(\d{4}-.*\.md)$/.exec(name)?.[1] ?? []);
    const numbers = files.map((name) => name.slice(0, 4));
    assert.equal(new Set(numbers).size, numbers.length, `a number is given twice: ${numbers.join(', ')}`);
    const list = readFileSync(join(ROOT, 'docs', 'decisions', 'README.md'), 'utf8');
    const listed = [...list.matchAll(/^\| \[(\d{4})\]\((.*?)\) \| (.*?) \|$/gm)].map(([, , file, title]) => [
      file,
      title,
    ]);
    assert.deepEqual(
      listed,
      files
        .sort()
        .map((name) => [name, /^# (.*)$/m.exec(readFileSync(join(ROOT, 'docs', 'decisions', name), 'utf8'))?.[1]]),
    );
  });

  it('give the measured time of the demo', () => {
    const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
    const rows = [...read('docs/results/loop.md').matchAll(/^\| \d+ \| 0\.\d{4} \|.*\| (\d+) \|$/gm)];
    const minutes = rows.map(([, seconds]) => Number(seconds) / 60);
    assert.ok(minutes.length >= 3, `${minutes.length} runs of the demo in docs/results/loop.md`);
    for (const place of ['README.md', 'demo/main.ts']) {
      const [, from, to] = /(\d+) to (\d+) minutes on 2 cores/.exec(read(place)) ?? [];
      const [low, high] = [Number(from), Number(to)];
      const outside = minutes.filter((each) => Math.round(each) < low - 1 || Math.round(each) > high + 1);
      assert.deepEqual(outside, [], `${place} says ${from} to ${to} minutes`);
    }
  });

  it('name only variables that some program reads, and scripts in package.json', () => {
    const code = repositoryFiles()
      .filter((name) => /\.(ts|mjs|py)$/.test(name) && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(ROOT, name), 'utf8'))
      .join('\n');
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const wrong = pages().flatMap(({ name, text }) => [
      ...[...text.matchAll(/\bPARTLOOP_[A-Z_]+\b/g)].flatMap(([variable]) =>
        code.includes(variable) ? [] : [{ name, variable }],
      ),
      ...[...text.matchAll(/npm run ([a-z]+)/g)].flatMap(([, script = '']) =>
        script in scripts ? [] : [{ name, script }],
      ),
    ]);
    assert.deepEqual(wrong, []);
  });
});

/**
 * Rooms and the commands in whose course their messages are said; a file of `cli/commands` begins with the name of its
 * own.
 */
const SAID_BY: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^cli\/commands\/pool/, ['pool', 'import']],
  [/^pool\/review\//, ['review', 'scan']],
  [/^cleanup\//, ['gc', 'loop', 'scan']],
  [/^(pool|formats)\//, ['import', 'pool', 'review', 'scan']],
  [/^(activities|inference)\//, ['loop', 'schedule', 'scan', 'import']],
  [/^infra\//, ['up', 'down', 'status', 'doctor']],
];

/** The options that a text of this file may name; null if it may name any. */
function optionsOf(program: Command, where: string): Set<string> | null {
  const own = program.commands.find((command) => where.startsWith(`cli/commands/${command.name()}`))?.name();
  const names = SAID_BY.find(([pattern]) => pattern.test(where))?.[1] ?? (own === undefined ? null : [own]);
  if (names === null) return null;
  const commands = program.commands.filter((command) => names.includes(command.name())).flatMap(allCommands);
  return new Set(commands.flatMap(({ options }) => options.flatMap(({ long }) => long ?? [])));
}

/** `partloop …` between backticks. */
const inline = (text: string): string[] =>
  [...text.matchAll(/`(?:npx )?(partloop [^`]*)`/g)].map(([, line = '']) => line);

/** The command lines of a page: those of its code, which are whole, and those between backticks. */
function pageLines(name: string, text: string): CommandLine[] {
  const joined = text.replaceAll(/\\\n\s*/g, ' ');
  const typed = [...joined.matchAll(/^(?: {4}(?:npx )?|npx )(partloop [^\n]*)$/gm)].map(([, line = '']) => line);
  return [
    ...typed.map((line) => ({ where: name, line: line.replace(/\s+#.*$/, ''), whole: true })),
    // Code of several words between backticks, never the text between two pieces of code.
    ...[...text.replaceAll(/\n/g, ' ').matchAll(/`([^`]+)`/g)]
      .flatMap(([, code = '']) => /^(?:npx )?(partloop .*)$/.exec(code)?.[1] ?? [])
      .map((line) => ({ where: name, line, whole: false })),
  ];
}

/**
 * A page without its lines of code that call other programs, and what of `npm run` and of others stands in its text.
 */
const withoutOtherPrograms = (text: string): string =>
  text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => !/^ {4}(?!.*partloop )|^(?:npm|node|python|apt) /.test(line))
    .join('\n')
    .replaceAll(/`[^`]*`/g, (code) => (/^`(?:(?:npx )?partloop |--)/.test(code) ? code : ''));

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** The faults of a command line, tried on the real tree of commands. */
function problemOf(program: Command, { where, line, whole }: CommandLine): string[] {
  const problem = (what: string): string[] => [`${where}: \`${line}\`: ${what}`];
  // Words behind a pipe belong to another program.
  const words =
    line
      .split(/ \\?[|>] /)[0]
      ?.match(/"[^"]*"|\S+/g)
      ?.slice(1) ?? [];
  let command = program;
  while (command.commands.length > 0) {
    const [word] = words;
    if (word === undefined && GROUPS_THAT_ACT.includes(command.name())) break;
    // `partloop scan run|list` and `partloop loop …` name several commands at once.
    if (word === undefined || word === '…') return whole ? problem('which command?') : [];
    const next = word.split('|').map((each) => command.commands.find((child) => child.name() === each));
    if (word.startsWith('--')) break;
    const [first] = next;
    if (first === undefined || next.includes(undefined)) return problem(`there is no command \`${word}\``);
    command = first;
    words.shift();
  }
  const given: string[] = [];
  const seen = new Set<Option>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) {
      given.push(word);
      continue;
    }
    const [long = '', value] = word.split('=');
    const option = command.options.find((each) => each.long === long || each.short === long);
    if (option === undefined) {
      if (long === '--help' || (command === program && long === '--version')) continue;
      return problem(`there is no option ${long}`);
    }
    seen.add(option);
    if (!option.required && !option.optional) continue;
    if (value === undefined && words[at + 1] === undefined) {
      if (whole) return problem(`${long} needs a value`);
      continue;
    }
    if (value === undefined) at += 1;
    const choice = (value ?? words[at] ?? '').replaceAll(/^["']|["']$/g, '');
    if (option.argChoices !== undefined && /^[a-z|-]+$/.test(choice) && choice !== 'x')
      for (const one of choice.split('|'))
        if (!option.argChoices.includes(one)) return problem(`${long} takes no ${one}`);
  }
  const takes = command.registeredArguments;
  const most = takes.some(({ variadic }) => variadic) ? Number.POSITIVE_INFINITY : takes.length;
  if (given.length > most) return problem(`takes ${takes.length} arguments`);
  if (!whole) return [];
  if (given.length < takes.filter(({ required }) => required).length) return problem('lacks an argument');
  const lacking = command.options.filter((option) => option.mandatory && !seen.has(option));
  return lacking.length === 0 ? [] : problem(`lacks ${lacking.map(({ long }) => long).join(', ')}`);
}

/** Targets of a page's links and pictures: inline ones, with or without title, and separate definitions. */
const linksOf = (text: string): string[] => [
  ...[...text.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => target),
  ...[...text.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)].map(([, target = '']) => target),
];

/** The headings of a page as GitHub links to them: one that comes again gets a number. */
function headingsOf(path: string): string[] {
  const seen = new Map<string, number>();
  const text = readFileSync(join(ROOT, path), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}
