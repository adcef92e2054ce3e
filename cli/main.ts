#!/usr/bin/env node
import { CommanderError } from 'commander';
import { readVariables } from '../domain/settings/variables.js';
import { answerInterrupts } from './interrupt.js';
import { endWithReaders, printError, reportError } from './output.js';
import { buildProgram } from './program.js';

const USAGE_EXIT_CODE = 2;

async function main(argv: string[]): Promise<number> {
  const json = argv.includes('--json');
  endWithReaders();
  answerInterrupts({ json });
  try {
    const program = await buildProgram(argv.slice(2));
    // `doctor` shows a bad variable beside everything else.
    if (argv.slice(2).find((word) => !word.startsWith('-')) !== 'doctor') readVariables(process.env);
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

process.exitCode = await main(process.argv);
