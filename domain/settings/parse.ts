import type { z } from 'zod';
import { PartloopError } from '../base/errors.js';
import { problemsOf, problemText } from '../base/failures/problems.js';
import { isRecord } from '../base/isRecord.js';
import { knownPart } from '../base/recorded.js';
import { knownSettings } from './settings.js';

/** Parse a request from outside; the error names each bad field and what is allowed. */
export function parseRequest<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const given: unknown = value ?? {};
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = problemsOf(schema, given).map(problemText).join('; ');
  throw new PartloopError('input-invalid', `the input of ${what} is not valid: ${problems}`, {
    hint: 'docs/config.md lists every field with its default.',
  });
}

/**
 * Parse what our own workflows hand on, and what stands in a history: fields that a later version sent are ignored,
 * since a roll-back must not freeze what that version began.
 */
export function parseRecorded<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  return parseRequest(schema, withKnownSettings(knownPart(schema, value ?? {})), what);
}

/** The field `settings`, where there is one, without those that this version does not have. */
export function withKnownSettings(value: unknown): unknown {
  return isRecord(value) && isRecord(value.settings) ? { ...value, settings: knownSettings(value.settings) } : value;
}
