import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type Cell = string | number | null;

/** A markdown table; numbers as they are, null as a dash. */
export function markdownTable(rows: readonly Record<string, Cell>[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  const names = Object.keys(first);
  const line = (cells: readonly Cell[]): string => `| ${cells.map((cell) => String(cell ?? '–')).join(' | ')} |`;
  return [
    line(names),
    `|${'---|'.repeat(names.length)}`,
    ...rows.map((row) => line(names.map((name) => row[name] ?? null))),
  ].join('\n');
}

/** A number with so many decimals, for a table; null stays null. */
export function fixed(value: number | null | undefined, decimals = 3): string | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : value.toFixed(decimals);
}

/** Write a benchmark's figures as `<home>/bench/<name>/<file>.json`, whole or not at all; returns the path. */
export async function writeResults(home: string, name: string, file: string, results: unknown): Promise<string> {
  const path = join(home, 'bench', name, `${file}.json`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, `${JSON.stringify(results, null, 1)}\n`);
  await rename(`${path}.part`, path);
  return path;
}
