import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import { TAG_NAMES, type TagName, tagsSchema } from '../domain/tags.js';
import type { ImageFacts } from './reading/importItem.js';

/** People's names for the sides of a split. */
const SPLITS: ReadonlyMap<string, NonNullable<ImageFacts['split']>> = new Map([
  ['train', 'train'],
  ['training', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['validation', 'val'],
  ['test', 'test'],
  ['testing', 'test'],
]);
const SOURCES = ['in-house', 'client'] as const;
const TAGS: ReadonlySet<string> = new Set(TAG_NAMES);
const MAX_VEHICLE_ID = 256;
/** Fields of a record that are no tags, by people's names for them. */
const VEHICLE_ID_FIELDS = ['vehicleId', 'vehicle_id'];

/**
 * Tags, vehicle, split and source from loose fields, whose values may be text, as in a CSV file or in COCO's extra
 * fields. Empty text, null and a missing field set nothing.
 *
 * @returns the facts, and the names of all other fields
 * @throws PartloopError `data-invalid` naming the field and its allowed values
 */
export function factsFrom(fields: Readonly<Record<string, unknown>>): { facts: ImageFacts; unknown: string[] } {
  const facts: ImageFacts = { tags: {}, vehicleId: null, source: null, split: null };
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const said = saidValue(value);
    if (TAGS.has(name)) {
      if (said !== null) Object.assign(facts.tags, parseTag(name as TagName, said));
    } else if (VEHICLE_ID_FIELDS.includes(name)) facts.vehicleId = said === null ? null : vehicleId(said);
    else if (name === 'split') facts.split = said === null ? null : splitOf(said);
    else if (name === 'source') facts.source = said === null ? null : sourceOf(said);
    else unknown.push(name);
  }
  return { facts, unknown };
}

const saidValue = (value: unknown): unknown => {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') return value;
  const text = value.trim();
  return text === '' ? null : text;
};

function parseTag(name: TagName, value: unknown): Partial<ImageFacts['tags']> {
  const type = tagsSchema.shape[name];
  for (const candidate of readings(value)) {
    const parsed = type.safeParse(candidate);
    if (parsed.success) return { [name]: parsed.data };
  }
  throw new PartloopError('data-invalid', `tag ${name} is ${JSON.stringify(value)}; allowed: ${allowedOf(name)}`);
}

/** A value as it is, and the values that its text may stand for. */
function readings(value: unknown): unknown[] {
  if (value === 0 || value === 1) return [value, String(value), value === 1];
  if (typeof value === 'number') return [value, String(value)];
  if (typeof value !== 'string') return [value];
  const text = value.toLowerCase();
  if (['true', 'yes', '1'].includes(text)) return [value, text, true, 1];
  if (['false', 'no', '0'].includes(text)) return [value, text, false, 0];
  return [value, text, Number(text)];
}

/** The values of a tag, for people. */
function allowedOf(name: TagName): string {
  const schema = z.toJSONSchema(tagsSchema.shape[name]);
  const options = (schema.anyOf ?? []).flatMap((option) => {
    if (typeof option !== 'object') return [];
    return option.enum ?? (option.type === 'boolean' ? [true, false] : []);
  });
  return options.map(String).join(', ');
}

function vehicleId(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new PartloopError('data-invalid', 'its vehicle id is neither a text nor a number');
  const text = String(value);
  if (text.length > MAX_VEHICLE_ID)
    throw new PartloopError(
      'data-invalid',
      `its vehicle id has ${text.length} characters, more than ${MAX_VEHICLE_ID}`,
    );
  if (!text.isWellFormed()) throw new PartloopError('data-invalid', 'its vehicle id is not valid Unicode');
  return text;
}

function splitOf(value: unknown): NonNullable<ImageFacts['split']> {
  const split = typeof value === 'string' ? SPLITS.get(value.toLowerCase()) : undefined;
  if (split !== undefined) return split;
  throw new PartloopError('data-invalid', `its split is ${JSON.stringify(value)}; allowed: train, val or test`);
}

function sourceOf(value: unknown): NonNullable<ImageFacts['source']> {
  const source = SOURCES.find((name) => name === value);
  if (source !== undefined) return source;
  throw new PartloopError('data-invalid', `its source is ${JSON.stringify(value)}; allowed: ${SOURCES.join(' or ')}`);
}

/** Facts of `earlier`, overridden by those of `later`. */
export function mergeFacts(earlier: ImageFacts, later: ImageFacts): ImageFacts {
  return {
    tags: { ...earlier.tags, ...later.tags },
    vehicleId: later.vehicleId ?? earlier.vehicleId,
    source: later.source ?? earlier.source,
    split: later.split ?? earlier.split,
  };
}
