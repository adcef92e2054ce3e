import { shuffle } from '../../domain/base/random.js';
import { hull, type Point } from '../../domain/geometry/hull.js';
import type { ExactMask } from '../car/mask.js';
import { fillPolygon } from '../car/mask.js';
import { boxOf, type LabelledPart, partsOf, repainted } from './parts.js';
import type { PlantedError, SpoilKind } from './truth.js';

export interface Spoiled {
  pixels: Uint8Array;
  planted: PlantedError[];
}
type Label = Pick<ExactMask, 'pixels' | 'size'>;
/** `mirror[value]` is the class on the car's other side; `count` is the number of classes. */
export interface Sides {
  mirror: Uint8Array;
  count: number;
}

/** Smallest part, at 128 pixels, in which an error is planted. */
const LEAST_PX = 20;
const MOST_LEFT_OUT = 6;

/** Spoil a label in one way, or return null if this label does not allow it. Deterministic in `random`. */
export function spoil(kind: SpoilKind, label: Label, sides: Sides, random: () => number): Spoiled | null {
  const parts = partsOf(label.pixels, label.size, LEAST_PX * (label.size / 128) ** 2);
  if (parts.length < 3) return null;
  switch (kind) {
    case 'missing_part':
      return leaveOut(label, parts, random);
    case 'wrong_class':
      return misname(label, parts, sides, random);
    case 'swapped':
      return swapSides(label, parts, sides, random);
    case 'mirrored':
      return mirrorAll(label, parts, sides);
    case 'shifted':
      return shift(label, parts, random);
    case 'bad_outline':
      return coarsen(label, parts, random);
  }
}

/** One part is forgotten most often, six hardly ever; some of the car always stays. */
function leaveOut({ pixels }: Label, parts: readonly LabelledPart[], random: () => number): Spoiled {
  const wanted = 1 + Math.floor(random() ** 1.7 * MOST_LEFT_OUT);
  const gone = shuffle(parts, random).slice(0, Math.min(wanted, parts.length - 2));
  return {
    pixels: gone.reduce((copy, { members }) => repainted(copy, members, 0), pixels),
    planted: gone.map(({ value, box }) => ({ kind: 'missing_part', classId: 0, trueClassId: value, box })),
  };
}

/** A part gets the name of any other class except its counterpart's, which is another mistake. */
function misname(
  { pixels }: Label,
  parts: readonly LabelledPart[],
  { mirror, count }: Sides,
  random: () => number,
): Spoiled | null {
  const part = parts[Math.floor(random() * parts.length)];
  if (part === undefined) return null;
  const names = Array.from({ length: count }, (_, index) => index + 1).filter(
    (value) => value !== part.value && value !== mirror[part.value],
  );
  const wrong = names[Math.floor(random() * names.length)] ?? 0;
  return {
    pixels: repainted(pixels, part.members, wrong),
    planted: [{ kind: 'wrong_class', classId: wrong, trueClassId: part.value, box: part.box }],
  };
}

/** One to three parts are given the name of their counterpart on the other side. */
function swapSides(
  { pixels }: Label,
  parts: readonly LabelledPart[],
  { mirror }: Sides,
  random: () => number,
): Spoiled | null {
  const sided = parts.filter(({ value }) => mirror[value] !== value);
  if (sided.length < 2) return null;
  const swapped = shuffle(sided, random).slice(0, Math.min(1 + Math.floor(random() * 3), sided.length - 1));
  return {
    pixels: swapped.reduce((copy, { value, members }) => repainted(copy, members, mirror[value] ?? value), pixels),
    planted: swapped.map(({ value, box }) => ({
      kind: 'swapped',
      classId: mirror[value] ?? value,
      trueClassId: value,
      box,
    })),
  };
}

/** Left and right are swapped everywhere. */
function mirrorAll({ pixels, size }: Label, parts: readonly LabelledPart[], { mirror }: Sides): Spoiled | null {
  const sided = parts.filter(({ value }) => mirror[value] !== value);
  if (sided.length < 2) return null;
  return {
    pixels: Uint8Array.from(pixels, (value) => mirror[value] ?? value),
    planted: [whole('mirrored', sided, size)],
  };
}

/** The whole label slips by 5 to 9 percent of the picture, as when it was drawn on another frame of a video. */
function shift({ pixels, size }: Label, parts: readonly LabelledPart[], random: () => number): Spoiled {
  const turn = random() * 2 * Math.PI;
  const far = size * (0.05 + random() * 0.04);
  const [dx, dy] = [Math.round(far * Math.cos(turn)), Math.round(far * Math.sin(turn))];
  const moved = new Uint8Array(pixels.length);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [sx, sy] = [x - dx, y - dy];
      if (sx >= 0 && sy >= 0 && sx < size && sy < size) moved[y * size + x] = pixels[sy * size + sx] ?? 0;
    }
  }
  return { pixels: moved, planted: [whole('shifted', parts, size)] };
}

/** Every part becomes a hasty polygon of four to six corners around it, large parts first. */
function coarsen({ pixels, size }: Label, parts: readonly LabelledPart[], random: () => number): Spoiled {
  const kept = Uint8Array.from(pixels);
  for (const { members } of parts) for (const at of members) kept[at] = 0;
  for (const { value, members } of [...parts].sort((a, b) => b.members.length - a.members.length)) {
    const corners = 4 + Math.floor(random() * 3);
    const slack = 1.5 + random() * 2;
    const start = random() * 2 * Math.PI;
    const points = Array.from({ length: corners }, (_, corner): Point => {
      const turn = start + (corner / corners) * 2 * Math.PI;
      const [ux, uy] = [Math.cos(turn), Math.sin(turn)];
      const reach = (at: number): number => (at % size) * ux + Math.floor(at / size) * uy;
      const far = members.reduce((best, at) => (reach(at) > reach(best) ? at : best), members[0] ?? 0);
      return [(far % size) + 0.5 + slack * ux, Math.floor(far / size) + 0.5 + slack * uy];
    });
    fillPolygon(hull(points), size, (from, to) => kept.fill(value, from, to));
  }
  return { pixels: kept, planted: [whole('bad_outline', parts, size)] };
}

function whole(kind: SpoilKind, parts: readonly LabelledPart[], size: number): PlantedError {
  return {
    kind,
    classId: null,
    trueClassId: null,
    box: boxOf(
      parts.flatMap(({ members }) => members),
      size,
    ),
  };
}
