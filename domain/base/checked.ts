import { z } from 'zod';

const SHOWN = 3;
/** Largest number of letters of a problem: it contains names from the input, which may have any length. */
const MAX_LETTERS = 2_000;

/** The value parsed by a schema, or its problem on one line. */
export type Checked<T> = { data: T; problem: null } | { data: null; problem: string };

/**
 * Check data that tools wrote: files, stored records. The problem is always one readable line, in the schema's own
 * words. Input that a person typed goes through `problems.ts`, which looks each field up in the schema to tell what is
 * allowed and what may have been meant: too slow for a list of a million entries.
 */
export function check<T extends z.ZodType>(schema: T, value: unknown, shown = SHOWN): Checked<z.output<T>> {
  try {
    const parsed = schema.safeParse(value);
    if (parsed.success) return { data: parsed.data, problem: null };
    const { issues } = parsed.error;
    const said = issues.slice(0, shown).map(sentence).join('; ');
    const first = said.length > MAX_LETTERS ? `${said.slice(0, MAX_LETTERS)} …` : said;
    return { data: null, problem: issues.length > shown ? `${first}; and ${issues.length - shown} more` : first };
  } catch (cause) {
    // The checks of a list pass on their findings as arguments of one call, which may have about 120,000 of them.
    if (cause instanceof RangeError) return { data: null, problem: 'it has too many errors to list' };
    throw cause;
  }
}

function sentence({ path, message }: z.core.$ZodIssue): string {
  const problem = message.endsWith('received undefined') ? 'is missing' : message;
  return `${path.join('.') || 'it'}: ${problem}`;
}

/** A list of numbers that all fulfil a condition. Millions are checked at once, and a bad one makes one finding. */
export function numbers(what: string, holds: (value: number) => boolean): z.ZodType<number[]> {
  return z.custom<number[]>(
    (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'number' && holds(entry)),
    what,
  );
}
