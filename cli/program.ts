import { styleText } from 'node:util';
import { Command } from 'commander';
import { linesForTerminal } from './terminal/terminal.js';

/** Command names and the modules that hold them; a module loads only when its command is chosen. */
const COMMANDS = {
  up: () => import('./commands/up.js'),
  down: () => import('./commands/down.js'),
  status: () => import('./commands/status.js'),
  doctor: () => import('./commands/doctor.js'),
  audit: () => import('./commands/audit.js'),
  'replay-check': () => import('./commands/replayCheck.js'),
  import: () => import('./commands/import.js'),
  ingest: () => import('./commands/ingest/ingest.js'),
  pool: () => import('./commands/pool/pool.js'),
  board: () => import('./commands/board.js'),
  review: () => import('./commands/review.js'),
  scan: () => import('./commands/scan/scan.js'),
  train: () => import('./commands/train.js'),
  loop: () => import('./commands/loop.js'),
  iteration: () => import('./commands/iteration.js'),
  model: () => import('./commands/model/model.js'),
  report: () => import('./commands/report.js'),
  ui: () => import('./commands/ui.js'),
  schedule: () => import('./commands/schedule.js'),
  gc: () => import('./commands/gc/gc.js'),
  notify: () => import('./commands/notify.js'),
  config: () => import('./commands/config.js'),
} as const;

/** The command line as a tree of commands; the first of `words` that names a command decides which part is loaded. */
export async function buildProgram(words: readonly string[] = []): Promise<Command> {
  const program = new Command('partloop')
    .description('Find mislabelled images, pick what the model needs, train, evaluate, gate, repeat')
    .version('0.1.0')
    // Options belong to the command that they stand behind: `gc` and `gc schedule` have some of the same names.
    .enablePositionalOptions();
  const chosen = words.find((word) => !word.startsWith('-'));
  const known = Object.entries(COMMANDS).filter(
    ([name]) => chosen === undefined || !Object.hasOwn(COMMANDS, chosen) || name === chosen,
  );
  for (const [, load] of known) (await load()).register(program);
  prepare(program, 'partloop');
  return program;
}

/** Usage errors in the form of all others: the fault, the likely meaning, and the help. */
function prepare(command: Command, path: string): void {
  const names = command.commands.map((child) => child.name()).join(', ');
  const commands = names === '' ? '' : ` Commands: ${names}.`;
  command
    .exitOverride()
    .showHelpAfterError(
      `${styleText('cyan', 'hint', { stream: process.stderr })}: \`${path} --help\` shows its arguments and options.${commands}`,
    )
    .configureOutput({
      outputError: (text, write) => {
        const rest = text.trimEnd().replace(/^error: /, '');
        write(`${styleText('red', 'error', { stream: process.stderr })}: ${linesForTerminal(rest)}\n`);
      },
    });
  for (const child of command.commands) prepare(child, `${path} ${child.name()}`);
}
