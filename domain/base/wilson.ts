/** Standard deviations of a 95 % interval. */
const DEVIATIONS = 1.96;

/** The 95 % interval of a share that `n` independent answers gave (Wilson 1927). */
export function wilsonInterval(value: number, n: number): { low: number; high: number } {
  const z2 = DEVIATIONS * DEVIATIONS;
  const centre = (value + z2 / (2 * n)) / (1 + z2 / n);
  const half = (DEVIATIONS * Math.sqrt((value * (1 - value)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
