import { styleText } from 'node:util';
import { PartloopError } from '../domain/errors.js';
import { FAILURES } from '../domain/failure.js';

/** As shells give it to a program that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130;

/** Facts go to stdout: one JSON object with `--json`. Everything said to people goes to stderr. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A table with columns as wide as their widest cell; numbers lean right. */
export function printTable(rows: readonly Record<string, string | number | null>[]): void {
  const [first] = rows;
  if (first === undefined) return;
  const names = Object.keys(first);
  const cells = rows.map((row) => names.map((name) => String(row[name] ?? '–')));
  const widths = names.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const isNumeric = names.map((name) => rows.every((row) => typeof row[name] === 'number' || row[name] === null));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  printLine(styleText('bold', line(names), { stream: process.stdout }));
  for (const row of cells) printLine(line(row));
}

/** The one place that turns an error into text and an exit code. */
export function reportError(error: unknown): number {
  if (error instanceof PartloopError) {
    say(`${styleText('red', 'error', { stream: process.stderr })}: ${error.message}`);
    if (error.hint !== undefined) say(`${styleText('cyan', 'hint', { stream: process.stderr })}: ${error.hint}`);
    return FAILURES[error.code].exitCode;
  }
  say(
    `${styleText('red', 'unexpected error', { stream: process.stderr })}: ${error instanceof Error ? error.message : String(error)}`,
  );
  say(
    process.env.PARTLOOP_DEBUG
      ? String(error instanceof Error ? error.stack : error)
      : 'Set PARTLOOP_DEBUG=1 for the full trace.',
  );
  return FAILURES.internal.exitCode;
}
