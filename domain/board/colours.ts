/**
 * Eight colours that people with any kind of colour blindness tell apart (Okabe and Ito 2008, black replaced by a light
 * grey that shows on dark cars). Each round through them has another pattern, so that no two of 48 classes look alike.
 */
const COLOURS = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
  [225, 225, 225],
] as const;

export const PATTERNS = ['plain', 'rising', 'dots', 'level', 'falling', 'upright'] as const;
export type Pattern = (typeof PATTERNS)[number];

export type Rgb = readonly [number, number, number];

/** The look of a label value; neighbours in the list of classes differ in both. */
export function lookOf(value: number): { colour: Rgb; pattern: Pattern } {
  if (value === 255) return { colour: [128, 128, 128], pattern: 'dots' };
  const at = Math.max(0, value - 1);
  const round = Math.floor(at / COLOURS.length);
  return { colour: COLOURS[at % COLOURS.length] as Rgb, pattern: PATTERNS[(at + round) % PATTERNS.length] as Pattern };
}

/** True where a pattern has ink; `period` in pixels. */
export function hasInk(pattern: Pattern, x: number, y: number, period: number): boolean {
  const half = period / 2;
  switch (pattern) {
    case 'plain':
      return true;
    case 'rising':
      return (x + y) % period < half;
    case 'falling':
      return (x - y + 65_536 * period) % period < half;
    case 'level':
      return y % period < half;
    case 'upright':
      return x % period < half;
    case 'dots':
      return x % period < half === y % period < half;
  }
}
