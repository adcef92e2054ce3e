import type { AnalysisInput } from '../../../domain/scan/index.js';
import { parseTaxonomy, type Taxonomy } from '../../../domain/taxonomy.js';

/** Parts of a schematic car seen from its left side: name, mirror, box in hundredths of the picture. */
const PARTS: readonly [name: string, mirror: string | null, box: readonly [number, number, number, number]][] = [
  ['left_fender', 'right_fender', [12, 50, 28, 70]],
  ['left_front_door', 'right_front_door', [28, 45, 48, 72]],
  ['left_rear_door', 'right_rear_door', [48, 45, 66, 72]],
  ['left_front_window', null, [32, 30, 48, 45]],
  ['left_rear_window', null, [48, 30, 62, 45]],
  ['hood', null, [8, 40, 28, 50]],
  ['roof', null, [30, 22, 66, 30]],
  ['quarter', null, [66, 42, 84, 70]],
  ['wheel', null, [14, 70, 27, 84]],
  ['left_mirror', null, [26, 38, 32, 45]],
  ['bumper', null, [4, 55, 12, 74]],
  ['taillight', null, [84, 44, 90, 54]],
];
const TWINS = ['right_fender', 'right_front_door', 'right_rear_door'];

export const scheme: Taxonomy = parseTaxonomy(
  {
    name: 'scheme',
    classes: [
      ...PARTS.map(([name, mirror]) => ({
        name,
        mirror,
        group: name === 'left_mirror' ? 'minor' : 'major',
        maxInstances: name === 'wheel' ? 2 : 1,
        angles: name === 'bumper' ? [0, 120] : null,
        side: name.startsWith('left') ? 'left' : null,
      })),
      ...TWINS.map((name) => ({ name, mirror: name.replace('right', 'left'), group: 'major', side: 'right' })),
    ],
  },
  'test',
);

/** The same, saying which parts touch on the car: those whose boxes do, and their mirror images. */
export const neighbourlyScheme: Taxonomy = parseTaxonomy(
  {
    ...scheme,
    name: 'neighbourly-scheme',
    classes: scheme.classes.map((entry) => {
      const own = boxOf(entry.name);
      const touching = PARTS.filter(([name, , box]) => boxOf(name) !== own && touches(own, box));
      return { ...entry, adjacent: touching.map(([name]) => name) };
    }),
  },
  'test',
);

type Box = readonly [number, number, number, number];

function boxOf(name: string): Box {
  const found = PARTS.find(([part, mirror]) => part === name || mirror === name);
  if (found === undefined) throw new Error(`no part ${name}`);
  return found[2];
}

function touches([ax0, ay0, ax1, ay1]: Box, [bx0, by0, bx1, by1]: Box): boolean {
  return ax0 <= bx1 && bx0 <= ax1 && ay0 <= by1 && by0 <= ay1;
}

export function classValue(name: string): number {
  const index = scheme.classes.findIndex((entry) => entry.name === name);
  if (index < 0) throw new Error(`no class ${name}`);
  return index + 1;
}

/** The schematic car on a square raster, moved and scaled by `random` when given. */
export function drawCar(size: number, random: (() => number) | null = null): Uint8Array {
  const scale = random === null ? 1 : 0.75 + 0.25 * random();
  const dx = random === null ? 0 : 10 * random();
  const dy = random === null ? 0 : 15 * random();
  const label = new Uint8Array(size * size);
  for (const [name, , box] of PARTS) {
    const [x0, y0, x1, y1] = box.map((edge, at) =>
      Math.round(((edge * scale + (at % 2 === 0 ? dx : dy)) * size) / 100),
    ) as [number, number, number, number];
    fill(label, size, [x0, y0, x1, y1], classValue(name));
  }
  return label;
}

export function fill(
  raster: Uint8Array,
  size: number,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
  value: number,
): void {
  for (let y = Math.max(0, y0); y < Math.min(size, y1); y++)
    raster.fill(value, y * size + Math.max(0, x0), y * size + Math.min(size, x1));
}

/** `raster` with one value replaced by another. */
export function replaced(raster: Uint8Array, from: number, to: number): Uint8Array {
  return raster.map((value) => (value === from ? to : value));
}

/** `raster` moved by whole pixels; new pixels are background. */
export function moved(raster: Uint8Array, size: number, dx: number, dy: number): Uint8Array {
  return raster.map((_, pixel) => {
    const x = (pixel % size) - dx;
    const y = Math.floor(pixel / size) - dy;
    return x < 0 || y < 0 || x >= size || y >= size ? 0 : (raster[y * size + x] as number);
  });
}

/**
 * Network outputs for a label and a prediction that is sure of itself everywhere (0.9), unless `confidence` says less.
 */
export function seen(
  label: Uint8Array,
  mask: Uint8Array,
  size: number,
  confidence: Uint8Array | null = null,
): AnalysisInput {
  const pMask = confidence ?? new Uint8Array(size * size).fill(230);
  const pLabel = pMask.map((p, pixel) => (label[pixel] === mask[pixel] ? p : Math.round((255 - p) / 4)));
  return { size, validWidth: size, validHeight: size, label, mask, pMask, pLabel };
}

/**
 * A prediction as models make them: the truth a pixel off at most, in half of the pictures one part of it eaten away by
 * what is around it or taken for another class, and less sure of itself there.
 */
export function mistaken(
  truth: Uint8Array,
  size: number,
  random: () => number,
): { mask: Uint8Array; confidence: Uint8Array } {
  const mask = moved(truth, size, random() < 0.5 ? 1 : 0, random() < 0.5 ? 1 : 0);
  const confidence = new Uint8Array(size * size).fill(200 + Math.floor(50 * random()));
  if (random() < 0.5) return { mask, confidence };
  const from = 1 + Math.floor(random() * PARTS.length);
  const to = random() < 0.6 ? 0 : 1 + Math.floor(random() * PARTS.length);
  const share = 0.3 + 0.7 * random();
  const doubt = 90 + Math.floor(90 * random());
  const members = [...mask.keys()].filter((pixel) => mask[pixel] === from);
  for (const pixel of members.slice(0, Math.floor(share * members.length))) {
    mask[pixel] = to;
    confidence[pixel] = doubt;
  }
  return { mask, confidence };
}
