/** The middle of some numbers, the upper one of two; null without any. */
export const median = (values: readonly number[]): number | null =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? null;
