import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';

/** Size of the part read from a log's end: the last lines with their traces. */
const TAIL_BYTES = 64 * 1024;
/** pino's level of a line with which a process reports why it ends. */
const FATAL = 60;
const lineSchema = z.object({
  level: z.number(),
  msg: z.string(),
  code: z.string().optional(),
  hint: z.string().optional(),
});

/** The reason of a process's end, in its own words. */
export interface LastWords {
  code: string | null;
  message: string;
  hint: string | null;
}

/**
 * The last reason of its end that a process wrote into its log, after byte `start`; null if it could not, or if it is
 * no worker of ours.
 */
export function lastWords(logFile: string, start: number): LastWords | null {
  for (const line of tailOf(logFile, start).split('\n').reverse()) {
    const parsed = lineSchema.safeParse(jsonOf(line));
    if (!parsed.success || parsed.data.level < FATAL) continue;
    const { code = null, msg, hint = null } = parsed.data;
    return { code, message: msg, hint };
  }
  return null;
}

function tailOf(path: string, start: number): string {
  if (!existsSync(path)) return '';
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.max(0, Math.min(size - start, TAIL_BYTES)));
    return tail.subarray(0, readSync(file, tail, 0, tail.length, size - tail.length)).toString();
  } finally {
    closeSync(file);
  }
}

function jsonOf(line: string): unknown {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
