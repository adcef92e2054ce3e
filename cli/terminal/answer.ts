import { CommanderError } from 'commander';
import { readVariables } from '../../domain/settings/variables.js';
import { buildProgram } from '../program.js';
import { printError, reportError } from './output.js';

const USAGE_EXIT_CODE = 2;

/** Run one command line, `argv` as Node gives it; the exit code. Its output goes to stdout and stderr. */
export async function answer(argv: readonly string[]): Promise<number> {
  const words = argv.slice(2);
  const json = words.includes('--json');
  try {
    const program = await buildProgram(words);
    // `doctor` shows a bad variable beside everything else.
    if (words.find((word) => !word.startsWith('-')) !== 'doctor') readVariables(process.env);
    await program.parseAsync(argv);
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, { json });
    if (error.exitCode === 0) return 0;
    if (json) {
      const message = error.message.replace(/^error: /, '');
      printError({ code: 'input-invalid', message, hint: null }, USAGE_EXIT_CODE);
    }
    return USAGE_EXIT_CODE;
  }
}
