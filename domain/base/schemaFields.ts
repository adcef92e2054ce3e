import { z } from 'zod';

const nodeSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  multipleOf: z.number().optional(),
  maxItems: z.number().optional(),
  items: z.unknown().optional(),
  prefixItems: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});
type Node = z.infer<typeof nodeSchema>;

/** One field of a schema, for people: its path, its allowed values, its default as JSON, and its effect. */
export interface Field {
  path: string;
  allowed: string;
  fallback: string;
  description: string;
}

/** Every field below a schema, including fields of nested objects. */
export function fieldsOf(schema: z.ZodType): Field[] {
  return fieldsBelow(z.toJSONSchema(schema, { io: 'input' }), '');
}

/** The allowed values of a single field, in words; null if the schema has none. */
export function allowedValues(schema: z.ZodType): string | null {
  try {
    const node = nodeSchema.parse(z.toJSONSchema(schema, { io: 'input' }));
    const words = allowedOf(node);
    return words === 'any' || words === 'string' ? null : words;
  } catch {
    // Transforms and the like have no JSON Schema.
    return null;
  }
}

function fieldsBelow(schema: unknown, path: string): Field[] {
  const node = nodeSchema.parse(schema);
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([name, child]) =>
      fieldsBelow(child, path === '' ? name : `${path}.${name}`),
    );
  }
  const fallback = node.default === undefined ? '' : JSON.stringify(node.default);
  return [{ path, allowed: allowedOf(node), fallback, description: node.description ?? '' }];
}

function allowedOf(node: Node): string {
  if (node.anyOf !== undefined) {
    const parts = node.anyOf.map((one) => allowedOf(nodeSchema.parse(one)));
    const values = parts.filter((part) => part !== 'null').join(' or ');
    return parts.includes('null') ? `${values}${values.includes(', ') ? ',' : ''} or null` : values;
  }
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.properties !== undefined) return `object with ${Object.keys(node.properties).join(', ')}`;
  if (node.prefixItems !== undefined) return `list of ${node.prefixItems.length}: ${itemsOf(node.prefixItems[0])}`;
  if (node.type === 'array')
    return `list${node.maxItems === undefined ? '' : ` of at most ${node.maxItems}`}: ${itemsOf(node.items)}`;
  const low = node.minimum ?? node.exclusiveMinimum;
  const high = node.maximum ?? node.exclusiveMaximum;
  const range =
    low === undefined || high === undefined
      ? ''
      : ` ${node.exclusiveMinimum === undefined ? '' : '>'}${low}–${node.exclusiveMaximum === undefined ? '' : '<'}${high}`;
  const step = node.multipleOf === undefined ? '' : `, multiple of ${node.multipleOf}`;
  return `${String(node.type ?? 'any')}${range}${step}`;
}

const itemsOf = (items: unknown): string => (items === undefined ? 'any' : allowedOf(nodeSchema.parse(items)));

/** A schema without its wrapper for optional values. */
export function bare(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const inner: unknown = schema.unwrap();
    if (inner instanceof z.ZodType) return bare(inner);
  }
  return schema;
}

/** The schema at a path, or null if there is none. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | null {
  const here = bare(schema);
  const [name, ...rest] = path;
  if (name === undefined) return here;
  let next: unknown;
  if (here instanceof z.ZodObject) {
    if (typeof name === 'string' && Object.hasOwn(here.shape, name)) next = here.shape[name];
  } else if (here instanceof z.ZodNullable) return schemaAt(asType(here.unwrap()) ?? z.never(), path);
  else if (here instanceof z.ZodArray) next = here.element;
  else if (here instanceof z.ZodTuple) next = here.def.items[Number(name)];
  const inner = asType(next);
  return inner === null ? null : schemaAt(inner, rest);
}

/** Names of the fields of an object, null for any other schema. */
export function fieldNames(schema: z.ZodType | null): string[] | null {
  if (schema === null) return null;
  const here = bare(schema);
  return here instanceof z.ZodObject ? Object.keys(here.shape) : null;
}

const asType = (value: unknown): z.ZodType | null => (value instanceof z.ZodType ? value : null);
