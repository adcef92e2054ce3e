import type { z } from 'zod';
import { PartloopError } from '../base/errors.js';
import { problemsOf, problemText } from '../base/failures/problems.js';
import { isRecord } from '../base/isRecord.js';
import { knownPart } from '../base/recorded.js';
import { knownSettings } from './settings.js';

/** Parse a request from outside; the error names each bad field and its allowed values. */
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
 * Parse messages between our own workflows and content of histories: fields of a later version are ignored, since a
 * roll-back must not freeze work that that version began.
 */
export function parseRecorded<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  return parseRequest(schema, withKnownSettings(knownPart(schema, value ?? {})), what);
}

/** The field `settings`, if there is one, without settings that this version does not have. */
export function withKnownSettings(value: unknown): unknown {
  return isRecord(value) && isRecord(value.settings) ? { ...value, settings: knownSettings(value.settings) } : value;
}
