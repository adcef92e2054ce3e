import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';

/** Of a log this much is read from its end: the last lines with their traces. */
const TAIL_BYTES = 64 * 1024;
/** pino's number of a line by which a process says why it ends. */
const FATAL = 60;
const lineSchema = z.object({
  level: z.number(),
  msg: z.string(),
  code: z.string().optional(),
  hint: z.string().optional(),
});

/** Why a process ended, as it said itself. */
export interface LastWords {
  code: string | null;
  message: string;
  hint: string | null;
}

/**
 * What a process wrote last into its log, from byte `start` on, about why it ends; null where it could not, or is no
 * worker of ours.
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
