/** The first entry for each key, in their order. */
export function oncePer<T>(entries: readonly T[], keyOf: (entry: T) => string): T[] {
  const seen = new Set<string>();
  return entries.filter((entry) => {
    const [key, size] = [keyOf(entry), seen.size];
    return seen.add(key).size > size;
  });
}
