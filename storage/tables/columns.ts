import { z } from 'zod';

/**
 * The DuckDB type of a table column: text, whole numbers, numbers, booleans, and lists of these; null if nullable.
 *
 * @throws RangeError for a schema that does not fit into a flat table
 */
export function columnType(type: z.core.$ZodType, column: string): string {
  if (type instanceof z.ZodNullable || type instanceof z.ZodOptional || type instanceof z.ZodDefault) {
    return columnType(type.unwrap(), column);
  }
  if (type instanceof z.ZodArray) return `${columnType(type.element, column)}[]`;
  if (type instanceof z.ZodNumber) return type.isInt ? 'BIGINT' : 'DOUBLE';
  if (type instanceof z.ZodBoolean) return 'BOOLEAN';
  if (type instanceof z.ZodString || type instanceof z.ZodEnum) return 'VARCHAR';
  if (type instanceof z.ZodLiteral) {
    const kinds = new Set([...type.values].map((value) => typeof value));
    if (kinds.size === 1 && kinds.has('string')) return 'VARCHAR';
    if (kinds.size === 1 && kinds.has('number')) return [...type.values].every(Number.isInteger) ? 'BIGINT' : 'DOUBLE';
  }
  throw new RangeError(`column \`${column}\` has a type that tables cannot hold`);
}
