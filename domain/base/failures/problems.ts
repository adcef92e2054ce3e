import type { z } from 'zod';
import { nearest } from '../nearest.js';
import { allowedValues, fieldNames, fieldsOf, schemaAt } from '../schemaFields.js';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** A field of an input and its problem, in words. `path` is empty for the input as a whole. */
export interface Problem {
  path: string[];
  text: string;
}

/**
 * The problems of a value, for the person who wrote it: each bad field by its path, with the allowed values, and the
 * nearest name for an unknown field. Empty if the value is good. Data that tools wrote go through `checked.ts`.
 */
export function problemsOf(schema: z.ZodType, value: unknown): Problem[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOfIssue(schema, value, issue));
}

/** ``field `a.b`: what is wrong``. */
export const problemText = ({ path, text }: Problem): string =>
  path.length === 0 ? text : `field \`${dotted(path)}\`: ${text}`;

function problemsOfIssue(schema: z.ZodType, value: unknown, issue: Issue): Problem[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys')
    return [{ path, text: wrongValue(schemaAt(schema, issue.path), issue, valueAt(value, issue.path)) }];
  return issue.keys.map((key) => ({ path: [...path, key], text: unknownField(schema, issue.path, key) }));
}

function unknownField(schema: z.ZodType, parent: Path, key: string): string {
  const names = fieldNames(schemaAt(schema, parent)) ?? [];
  const near = nearest(key, names);
  const meant = near === undefined ? elsewhere(schema, key) : [dotted([...parent, near])];
  const question = meant.length === 0 ? '' : `; did you mean ${meant.map((path) => `\`${path}\``).join(' or ')}?`;
  const holder = parent.length === 0 ? 'The fields are' : `\`${dotted(parent)}\` has`;
  return `there is no such field${question || '.'} ${holder} ${names.join(', ')}`;
}

/** Fields of this name in other groups: a missing group (`iterations`) is as common a slip as a wrong letter. */
function elsewhere(schema: z.ZodType, key: string): string[] {
  const fields = fieldsOf(schema).map(({ path }) => ({ path, name: path.split('.').at(-1) ?? path }));
  const wanted = nearest(key, [...new Set(fields.map(({ name }) => name))]);
  return fields.filter(({ name }) => name === wanted).map(({ path }) => path);
}

function wrongValue(schema: z.ZodType | null, issue: Issue, value: unknown): string {
  const names = fieldNames(schema);
  if (names !== null && issue.code === 'invalid_type')
    return `${shownValue(value)} is not allowed, since it is a group; it has ${names.join(', ')}`;
  if (value === undefined && issue.code === 'invalid_type') return 'it is missing';
  const allowed = schema === null || names !== null || issue.code === 'custom' ? null : allowedValues(schema);
  if (allowed !== null) return `${shownValue(value)} is not allowed; allowed: ${allowed}`;
  if (issue.code === 'invalid_type') return `${shownValue(value)} is not a ${issue.expected}`;
  if (issue.code === 'too_small' && issue.origin === 'string') return 'it is empty';
  return issue.code === 'invalid_format' ? `${shownValue(value)} is not allowed: ${issue.message}` : issue.message;
}

function valueAt(value: unknown, path: Path): unknown {
  let place = value;
  for (const name of path) {
    if (typeof place !== 'object' || place === null) return undefined;
    place = Object.getOwnPropertyDescriptor(place, name)?.value;
  }
  return place;
}

const dotted = (path: Path): string => shown(path.map(String).join('.'));

/** The end of a long value adds nothing. */
const MAX_SHOWN = 80;

const shown = (text: string): string => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)} …` : text);

function shownValue(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (value === '') return 'an empty text';
  return value === undefined ? 'nothing' : shown(JSON.stringify(value) ?? typeof value);
}
