import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import { type Problem, problemsOf } from '../domain/base/failures/problems.js';
import { nameSchema } from '../domain/base/ids.js';
import { mergeSettings, settingAt, settingsProblems } from '../domain/settings/settings.js';

const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** A decimal number on the command line. */
export function number(text: string): number {
  const value = Number(text);
  if (DECIMAL.test(text.trim()) && Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`${text.trim() === '' ? 'An empty text' : `\`${text}\``} is not a decimal number.`);
}

/** A partloop name on the command line. */
export function name(text: string): string {
  const parsed = nameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(parsed.error.issues.map(({ message }) => message).join('; '));
}

/** A text of a bounded length on the command line. */
export function textUpTo(longest: number): (text: string) => string {
  return (text) => {
    if (text.length <= longest) return text;
    throw new InvalidArgumentError(`it has ${text.length} characters; at most ${longest} are allowed.`);
  };
}

/** A whole number within bounds on the command line, by its decimal digits. */
export function wholeNumberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`give a whole number from ${low} to ${high}.`);
  };
}

/** A command's settings, from its own options and from `--set`. */
export interface SettingOptions {
  /** Option as a field of the request -> the setting that it abbreviates. */
  shortFor: Readonly<Record<string, string>>;
  /** The options that were given, as fields of the request. */
  fields: Readonly<Record<string, unknown>>;
  /** `--set`: `path=value` each; values are JSON if they parse as such. */
  set: unknown;
}

/**
 * `['scan.quarantineAt=0.6']` -> `{ settings: { scan: { quarantineAt: 0.6 } } }`.
 *
 * @throws PartloopError `input-invalid` for an unknown setting, an invalid value, or a setting given twice
 */
export function settingsFrom({ set, shortFor, fields }: SettingOptions): { settings?: Record<string, unknown> } {
  if (!Array.isArray(set)) return {};
  const given = set.map(String).map(parseSetting);
  given.forEach((entry, index) => {
    const twice = given.slice(0, index).find((other) => overlap(entry.path, other.path));
    if (twice !== undefined) {
      throw new PartloopError(
        'input-invalid',
        `\`--set ${twice.text}\` and \`--set ${entry.text}\` set the same thing`,
        {
          hint: 'Give each setting once.',
        },
      );
    }
    const [problem] = settingsProblems(entry.layer);
    if (problem !== undefined) throw wrong(`--set ${entry.text}`, problem, entry.value);
    refuseConflict(entry, shortFor, fields);
  });
  return { settings: recordSchema.parse(given.map(({ layer }) => layer).reduce(mergeSettings, {})) };
}

const recordSchema = z.record(z.string(), z.unknown());

interface Setting {
  text: string;
  path: string[];
  value: unknown;
  layer: unknown;
}

function parseSetting(text: string): Setting {
  const cut = text.indexOf('=');
  const path = text.slice(0, Math.max(0, cut)).split('.');
  if (cut < 1 || path.some((name) => name === '')) {
    throw new PartloopError('input-invalid', `--set ${text}: expected path=value, e.g. train.iterations=400`, {
      hint: 'docs/config.md lists the paths. `--set` takes every word that follows it: put names before it.',
    });
  }
  const value = settingValue(text.slice(cut + 1), settingAt(path));
  const layer = path.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), value);
  return { text, path, value, layer };
}

function settingValue(text: string, schema: z.ZodType | null): unknown {
  if (schema instanceof z.ZodString) return text;
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch {
    return text;
  }
}

const overlap = (a: readonly string[], b: readonly string[]): boolean =>
  a.slice(0, b.length).join('.') === b.slice(0, a.length).join('.');

function refuseConflict(
  setting: Setting,
  shortFor: SettingOptions['shortFor'],
  fields: SettingOptions['fields'],
): void {
  for (const [field, path] of Object.entries(shortFor)) {
    if (fields[field] === undefined || !overlap(setting.path, path.split('.'))) continue;
    throw new PartloopError(
      'input-invalid',
      `\`${optionOf(field)}\` and \`--set ${setting.text}\` set the same thing`,
      {
        hint: 'Give one of them.',
      },
    );
  }
}

/**
 * Check the options of a command against the schema of the request they make; errors name options.
 *
 * @throws PartloopError `input-invalid`
 */
export function requestFrom<T extends z.ZodType>(schema: T, fields: Readonly<Record<string, unknown>>): z.output<T> {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const [problem] = problemsOf(schema, fields);
  const [field = '', ...inner] = problem?.path ?? [];
  throw wrong(optionOf(field), { path: inner, text: problem?.text ?? 'it is not valid' }, undefined);
}

function wrong(option: string, { text }: Problem, value: unknown): PartloopError {
  const listed = text.includes('allowed: list') && typeof value === 'string';
  return new PartloopError('input-invalid', `${option}: ${text}`, {
    hint: listed
      ? 'Lists are written as JSON, e.g. `--set train.imageSizes=[128,256]`.'
      : 'docs/config.md lists every setting with its default.',
  });
}

/** `trainIterations` -> `--train-iterations`; `loop` is an argument. */
const optionOf = (field: string): string =>
  field === 'loop' ? 'the name' : `--${field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
