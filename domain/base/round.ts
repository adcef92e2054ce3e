/** Rounds to six places, so that stored values are equal on every machine. */
export const round6 = (value: number): number => Math.round(value * 1e6) / 1e6;
