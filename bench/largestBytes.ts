/** The longest run of bytes anywhere in a value: in a history those are the payloads. */
export function largestBytes(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (value === null || typeof value !== 'object') return 0;
  return Object.values(value).reduce((most: number, one: unknown) => Math.max(most, largestBytes(one)), 0);
}
