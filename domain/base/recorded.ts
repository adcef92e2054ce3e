import { z } from 'zod';
import { isRecord } from './isRecord.js';

/**
 * Reads data of another version of partloop, which may have fields that this version does not know. In input of people
 * each unknown field is an error. Of recorded data the known part counts, and the rest is kept if the data is written
 * again.
 */

/** A schema for stored data or for data that travels between workflows: it ignores unknown fields. */
export const recorded = <T extends z.ZodType>(schema: T) => z.preprocess((value) => knownPart(schema, value), schema);

/** A value without fields unknown to its schema, at any depth. */
export function knownPart(schema: z.ZodType, value: unknown): unknown {
  const here = inner(schema);
  if (here instanceof z.ZodUnion) {
    const option = here.options.find((one) => one instanceof z.ZodType && one.safeParse(knownPart(one, value)).success);
    return option instanceof z.ZodType ? knownPart(option, value) : value;
  }
  if (Array.isArray(value)) return value.map((item, index) => knownPart(itemSchema(here, index), item));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
      const known = fieldSchema(here, name, field);
      return known === null ? [] : [[name, knownPart(known, field)]];
    }),
  );
}

/** Only the fields of a value that its schema does not know; undefined if there are none. */
export function unknownPart(schema: z.ZodType, value: unknown): unknown {
  const here = inner(schema);
  if (here instanceof z.ZodUnion) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item, index) => unknownPart(itemSchema(here, index), item));
    return items.every((item) => item === undefined) ? undefined : items;
  }
  if (!isRecord(value)) return undefined;
  const fields = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    const known = fieldSchema(here, name, field);
    const rest = known === null ? field : unknownPart(known, field);
    return rest === undefined ? [] : [[name, rest]];
  });
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** Paths of the fields that a schema does not know, `train.lrWarmup`. */
export function unknownFields(schema: z.ZodType, value: unknown): string[] {
  const here = inner(schema);
  if (here instanceof z.ZodUnion || !isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const known = fieldSchema(here, name, field);
    if (known === null) return [name];
    return unknownFields(known, field).map((path) => `${name}.${path}`);
  });
}

/** `value` with the additional fields of `rest`: its own fields win, lists match by position. */
export function withUnknown(rest: unknown, value: unknown): unknown {
  if (rest === undefined) return value;
  if (Array.isArray(rest) && Array.isArray(value))
    return value.map((item: unknown, index) => withUnknown(rest[index], item));
  if (!isRecord(rest) || !isRecord(value)) return value;
  const beside = Object.entries(rest).filter(([name]) => !Object.hasOwn(value, name));
  const own = Object.entries(value).map(([name, field]): [string, unknown] => [
    name,
    withUnknown(Object.hasOwn(rest, name) ? rest[name] : undefined, field),
  ]);
  return Object.fromEntries([...own, ...beside]);
}

/** The schema of a field without a schema of its own: anything. */
const ANY = z.unknown();

/** The schema of a field; null if an object or a record does not know the field or such a value. */
function fieldSchema(schema: z.ZodType, name: string, value: unknown): z.ZodType | null {
  if (schema instanceof z.ZodObject) {
    if (Object.hasOwn(schema.shape, name)) return asType(schema.shape[name]);
    const { catchall } = schema.def;
    return catchall instanceof z.ZodType && catchall.safeParse(value).success ? ANY : null;
  }
  if (schema instanceof z.ZodRecord) {
    const { keyType, valueType } = schema.def;
    if (!(keyType instanceof z.ZodType && keyType.safeParse(name).success)) return null;
    return valueType instanceof z.ZodUnion && !valueType.safeParse(value).success ? null : asType(valueType);
  }
  return ANY;
}

function itemSchema(schema: z.ZodType, index: number): z.ZodType {
  if (schema instanceof z.ZodArray) return asType(schema.element);
  return schema instanceof z.ZodTuple ? asType(schema.def.items[index]) : ANY;
}

/** A schema without its wrappers for missing, null or prepared values. */
function inner(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return inner(asType(schema.unwrap()));
  return schema instanceof z.ZodPreprocess ? inner(asType(schema.def.out)) : schema;
}

const asType = (value: unknown): z.ZodType => (value instanceof z.ZodType ? value : ANY);
