import { z } from 'zod';
import { PartloopError } from '../base/errors.js';
import { type IndexRow, indexRowSchema } from '../tables.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';

/** Whether an image is meant; `ingestedAt` is when it first came in. */
export type ImageTest = (row: IndexRow) => boolean;

const OPERATORS = ['=', '!=', '<', '<=', '>', '>=', '~'] as const;
type Operator = (typeof OPERATORS)[number];

/** Columns by which nobody would choose images. */
const NOT_ASKED = ['labelUri', 'tagOrigins', 'removedAt', 'imageEtag', 'imageVersion'] as const;
type Asked = Exclude<keyof IndexRow, (typeof NOT_ASKED)[number]>;

/** Columns that conditions may name. */
export const CONDITION_COLUMNS: readonly Asked[] = Object.keys(indexRowSchema.shape).filter(
  (name): name is Asked => !NOT_ASKED.some((hidden) => hidden === name),
);

const DATE = /^\d{4}-\d{2}-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A condition on one column of the index: `vehicleId=v1`, `split=val`, `black=true`, `angle<90`, `fileName~front/*`,
 * `ingestedAt<2026-01-01`, `classes=hood`; columns also as CSV files have them (`vehicle_id`). An empty value means
 * unknown; `*` in a pattern stands for any text, `?` for one character.
 *
 * @throws PartloopError `input-invalid` naming the columns, or the values that the column has
 */
export function parseCondition(text: string, taxonomy: Taxonomy): ImageTest {
  const match = /^\s*([A-Za-z0-9_]+)\s*(!=|<=|>=|=|<|>|~)(.*)$/s.exec(text);
  const asked = (match?.[1] ?? '').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const column = CONDITION_COLUMNS.find((name) => name === asked);
  const operator = OPERATORS.find((one) => one === match?.[2]);
  if (match === null || column === undefined || operator === undefined) {
    const what =
      match === null ? 'not a condition such as `split=val`' : `a condition on the unknown column \`${match[1]}\``;
    throw new PartloopError('input-invalid', `--where ${text}: that is ${what}`, {
      hint: `Columns: ${CONDITION_COLUMNS.join(', ')}. Operators: ${OPERATORS.join(' ')}.`,
    });
  }
  const value = (match[3] ?? '').trim();
  if (column === 'classes') return classTest(text, operator, value, taxonomy);
  if (operator === '~') return patternTest(text, column, value);
  const expected = typedValue(text, column, operator, value);
  if (operator === '=' || operator === '!=') {
    const isWanted = operator === '=';
    const moment = column === 'ingestedAt' && typeof expected === 'string' ? Date.parse(expected) : null;
    return (row) => (moment === null ? row[column] === expected : Date.parse(row.ingestedAt) === moment) === isWanted;
  }
  const limit = column === 'ingestedAt' ? Date.parse(String(expected)) : Number(expected);
  return (row) => {
    const own = row[column];
    if (own === null) return false;
    return compare(operator, column === 'ingestedAt' ? Date.parse(String(own)) : Number(own), limit);
  };
}

function compare(operator: '<' | '<=' | '>' | '>=', one: number, other: number): boolean {
  if (operator === '<') return one < other;
  if (operator === '<=') return one <= other;
  return operator === '>' ? one > other : one >= other;
}

/** The value in the column's own type. */
function typedValue(text: string, column: Asked, operator: Operator, value: string): string | number | boolean | null {
  const { type, isNullable } = plainType(indexRowSchema.shape[column]);
  const isOrder = operator !== '=' && operator !== '!=';
  const refuse = (what: string): never => {
    throw new PartloopError('input-invalid', `--where ${text}: \`${column}\` ${what}`);
  };
  if (column === 'ingestedAt')
    return DATE.test(value) && !Number.isNaN(Date.parse(value)) ? value : refuse('takes a date such as 2026-01-31');
  const allowed = valuesOf(type);
  const isNumber = type instanceof z.ZodNumber || allowed?.every((one) => typeof one === 'number') === true;
  if (isOrder) {
    if (!isNumber) refuse('has no order; compare it with = or !=');
    return value !== '' && Number.isFinite(Number(value)) ? Number(value) : refuse('takes a number');
  }
  if (value === '') return isNullable ? null : refuse('is always known');
  if (allowed !== null) {
    const found = allowed.find((one) => String(one) === value);
    return found ?? refuse(`is one of ${allowed.join(', ')}${isNullable ? ', or empty if unknown' : ''}`);
  }
  if (type instanceof z.ZodBoolean) {
    if (value !== 'true' && value !== 'false') refuse('is true, false, or empty if unknown');
    return value === 'true';
  }
  const typed = isNumber ? Number(value) : value;
  const parsed = type.safeParse(typed);
  return parsed.success ? typed : refuse(`cannot be \`${value}\`: ${parsed.error.issues[0]?.message}`);
}

function plainType(type: z.ZodType): { type: z.ZodType; isNullable: boolean } {
  let inner = type;
  let isNullable = false;
  while (inner instanceof z.ZodNullable || inner instanceof z.ZodDefault || inner instanceof z.ZodOptional) {
    isNullable ||= inner instanceof z.ZodNullable;
    const next = inner.unwrap();
    if (!(next instanceof z.ZodType)) break;
    inner = next;
  }
  return { type: inner, isNullable };
}

/** The possible values of a column that has a fixed set. */
function valuesOf(type: z.ZodType): (string | number)[] | null {
  const values = type instanceof z.ZodEnum ? type.options : type instanceof z.ZodLiteral ? [...type.values] : null;
  return values?.filter((one): one is string | number => typeof one === 'string' || typeof one === 'number') ?? null;
}

function patternTest(text: string, column: Asked, pattern: string): ImageTest {
  const { type } = plainType(indexRowSchema.shape[column]);
  if (!(type instanceof z.ZodString) || column === 'ingestedAt')
    throw new PartloopError('input-invalid', `--where ${text}: \`${column}\` is not text; patterns are for names`);
  const wanted = pattern.normalize();
  return (row) => {
    const own = row[column];
    return own !== null && matches(wanted, String(own).normalize());
  };
}

/** Whether a text fits a pattern of `*` and `?`, in at most as many steps as their lengths multiplied. */
function matches(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

function classTest(text: string, operator: Operator, value: string, taxonomy: Taxonomy): ImageTest {
  const names = labelNames(taxonomy);
  const label = names.indexOf(value, 1);
  if ((operator !== '=' && operator !== '!=') || (value !== '' && label < 1)) {
    throw new PartloopError(
      'input-invalid',
      `--where ${text}: \`classes\` takes = or !=, and one class of ${names.slice(1).join(', ')}, or nothing for a label without any`,
    );
  }
  const isWanted = operator === '=';
  return ({ classes }) => (value === '' ? classes.length === 0 : classes.includes(label)) === isWanted;
}
