/**
 * The value that a record itself has under a name. A plain index would also find what every object inherits: the name
 * `constructor` comes from users as any other does.
 */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
