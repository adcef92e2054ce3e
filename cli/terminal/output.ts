import { styleText } from 'node:util';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES, type FailureCode } from '../../domain/base/failures/failure.js';
import { columnsOf, forTerminal, linesForTerminal } from './terminal.js';

/** Exit code of a program that a signal ended, as shells report it: 128 plus its number. */
export const EXIT_INTERRUPTED = 130;
export const EXIT_TERMINATED = 143;
const EXIT_BROKEN_PIPE = 141;

let jsonPrinted = false;

/** Facts go to stdout: one JSON object with `--json`, exact. All text for people goes to stderr. */
export function printJson(value: unknown): void {
  jsonPrinted = true;
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** One line of facts. */
export function printLine(text = ''): void {
  process.stdout.write(`${forTerminal(text)}\n`);
}

/** Facts of several lines, such as a page. */
export function printText(text: string): void {
  for (const line of text.split('\n')) printLine(line);
}

/** Lines for people. */
export function say(...lines: string[]): void {
  for (const line of lines) process.stderr.write(`${forTerminal(line)}\n`);
}

/** The original method, before a line of progress holds back other output. */
const writeAtOnce = process.stderr.write.bind(process.stderr);
const SHOW_CURSOR = '\u001b[?25h';

/** Text for people that may have several lines, such as a failure with its hint; later lines are indented. */
export function sayText(text: string): void {
  process.stderr.write(`${linesForTerminal(text)}\n`);
}

/** A line that must be visible now, even above a line of progress. */
export function sayNow(line: string): void {
  writeAtOnce(`${process.stderr.isTTY ? '\n' : ''}${forTerminal(line)}\n`);
}

/** The last lines of a process that ends under a line of progress: below it, with the cursor that it hides. */
export function sayLast(...lines: string[]): void {
  if (process.stderr.isTTY) writeAtOnce(`${SHOW_CURSOR}\n`);
  for (const line of lines) writeAtOnce(`${forTerminal(line)}\n`);
}

type Cell = string | number | null;

/** A table with columns as wide as their widest cell; numbers lean right. */
export function printTable(rows: readonly Record<string, Cell>[]): void {
  const [first] = rows;
  if (first === undefined) return;
  const names = Object.keys(first);
  const cells = rows.map((row) => names.map((name) => forTerminal(String(row[name] ?? '–'))));
  const widths = names.map((name, column) =>
    cells.reduce((widest, row) => Math.max(widest, columnsOf(row[column] ?? '')), columnsOf(name)),
  );
  const isNumeric = names.map((name) => rows.every((row) => typeof row[name] === 'number' || row[name] === null));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const space = ' '.repeat(Math.max(0, (widths[column] ?? 0) - columnsOf(cell)));
        return isNumeric[column] ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  process.stdout.write(`${styleText('bold', line(names), { stream: process.stdout })}\n`);
  for (const row of cells) process.stdout.write(`${line(row)}\n`);
}

/** An error in the form of `--json`. */
export interface ShownError {
  code: FailureCode;
  message: string;
  hint: string | null;
}

/** The one place that turns an error into text and an exit code; `json` also gives it as the object on stdout. */
export function reportError(error: unknown, { json = false }: { json?: boolean } = {}): number {
  if (error instanceof PartloopError) {
    const exitCode = FAILURES[error.code].exitCode;
    tell('red', 'error', error.message);
    if (error.hint !== undefined) tell('cyan', 'hint', error.hint);
    if (json) printError({ code: error.code, message: error.message, hint: error.hint ?? null }, exitCode);
    return exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  const { exitCode } = FAILURES.internal;
  tell('red', 'unexpected error', message);
  if (process.env.PARTLOOP_DEBUG)
    process.stderr.write(`${linesForTerminal(String(error instanceof Error ? error.stack : error))}\n`);
  else say('Set PARTLOOP_DEBUG=1 for the full trace.');
  if (json) printError({ code: 'internal', message, hint: null }, exitCode);
  return exitCode;
}

/** An error as the one JSON object of a command, unless the command has given its own. */
export function printError(error: ShownError, exitCode: number): void {
  if (!jsonPrinted) printJson({ error: { ...error, exitCode } });
}

function tell(colour: 'red' | 'cyan', what: string, text: string): void {
  process.stderr.write(`${styleText(colour, what, { stream: process.stderr })}: ${linesForTerminal(text)}\n`);
}

let readersMatter = true;

/** For a program that must not end if its output is no longer read: a stack in the foreground. */
export function outliveReaders(): void {
  readersMatter = false;
}

/** End silently if the reader has left (`partloop scan list | head`), as other programs do. */
export function endWithReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'EIO') {
        if (readersMatter) process.exit(EXIT_BROKEN_PIPE);
        return;
      }
      if (stream === process.stdout) process.exit(reportError(outputError(error)));
    });
  }
}

const outputError = (cause: NodeJS.ErrnoException): PartloopError =>
  new PartloopError('input-invalid', `the output cannot be written: ${cause.message}`, {
    cause,
    hint: 'Check the target of stdout: the disk may be full, or the file may not be writable.',
  });
