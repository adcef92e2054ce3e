/**
 * The value that a record itself has under a name. A plain index would also find what every object inherits: users may
 * use the name `constructor` like any other.
 */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
