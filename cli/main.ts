#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { readVariables } from '../domain/variables.js';
import { reportError } from './output.js';

/** Command names and the modules that hold them; a module loads only when its command is chosen. */
const COMMANDS = {
  up: () => import('./commands/up.js'),
  down: () => import('./commands/down.js'),
  status: () => import('./commands/status.js'),
  doctor: () => import('./commands/doctor.js'),
  import: () => import('./commands/import.js'),
  pool: () => import('./commands/pool.js'),
  review: () => import('./commands/review.js'),
  scan: () => import('./commands/scan.js'),
  train: () => import('./commands/train.js'),
  loop: () => import('./commands/loop.js'),
  iteration: () => import('./commands/iteration.js'),
  report: () => import('./commands/report.js'),
  schedule: () => import('./commands/schedule.js'),
  config: () => import('./commands/config.js'),
} as const;

const USAGE_EXIT_CODE = 2;

async function main(argv: string[]): Promise<number> {
  const program = new Command('partloop')
    .description('Find mislabelled images, pick what the model needs, train, evaluate, gate, repeat')
    .version('0.1.0')
    .showHelpAfterError()
    .exitOverride();
  const chosen = argv.slice(2).find((argument) => !argument.startsWith('-'));
  const known = Object.entries(COMMANDS).filter(
    ([name]) => chosen === undefined || !Object.hasOwn(COMMANDS, chosen) || name === chosen,
  );
  for (const [, load] of known) (await load()).register(program);
  for (const command of program.commands) inheritExit(command);
  try {
    // `doctor` shows a bad variable beside everything else.
    if (chosen !== 'doctor') readVariables(process.env);
    await program.parseAsync(argv);
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
    return reportError(error);
  }
}

function inheritExit(command: Command): void {
  command.exitOverride().showHelpAfterError();
  for (const child of command.commands) inheritExit(child);
}

process.exitCode = await main(process.argv);
