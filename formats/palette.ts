import { IGNORE_INDEX, labelNames, type Taxonomy } from '../domain/taxonomy.js';
import type { ClassEntry } from './manifest.js';

export type Colour = [red: number, green: number, blue: number];

/** The colour of a label value in the palette of PASCAL VOC, which most tools have: no two values share one. */
export function vocColour(value: number): Colour {
  const colour: Colour = [0, 0, 0];
  for (let bit = 0, rest = value; bit < 8; bit++, rest >>= 3) {
    for (let channel = 0; channel < 3; channel++) {
      colour[channel] = (colour[channel] as number) | (((rest >> channel) & 1) << (7 - bit));
    }
  }
  return colour;
}

/** Label values with their names and colours: background, the classes, and ignored pixels. */
export function classTable(taxonomy: Taxonomy): ClassEntry[] {
  const classes = labelNames(taxonomy).map((name, value) => ({ value, name, colour: vocColour(value) }));
  return [...classes, { value: IGNORE_INDEX, name: 'ignored', colour: vocColour(IGNORE_INDEX) }];
}
