import { mix, type Vec3 } from './space.js';
import { cabinHalf, onCabin, type Piece, piece, SIDES, sideName } from './surface.js';
import type { Shape } from './vehicles.js';

/** Windows, pillars and roof. */
export function cabin(shape: Shape): Piece[] {
  const { cowl, roofFront, roofRear, rearBase } = shape;
  const ends = {
    front: (rise: number): number => mix(cowl, roofFront, rise),
    rear: (rise: number): number => mix(rearBase, roofRear, rise),
  };
  const across = (x: (rise: number) => number, low: number, high: number, inset: number): Vec3[] => [
    [x(low), cabinHalf(shape, low) - inset, mix(shape.belt, shape.height, low)],
    [x(low), -cabinHalf(shape, low) + inset, mix(shape.belt, shape.height, low)],
    [x(high), -cabinHalf(shape, high) + inset, mix(shape.belt, shape.height, high)],
    [x(high), cabinHalf(shape, high) - inset, mix(shape.belt, shape.height, high)],
  ];
  const rail = 0.2;
  const roofHalf = cabinHalf(shape, 1);
  const flat = (half: number, other: number): Vec3[] => [
    [roofFront, half, shape.height],
    [roofFront, other, shape.height],
    [roofRear, other, shape.height],
    [roofRear, half, shape.height],
  ];
  return [
    ...SIDES.map((side) =>
      piece(
        'pillars',
        null,
        'paint',
        [
          onCabin(shape, side, cowl, 0),
          onCabin(shape, side, rearBase, 0),
          onCabin(shape, side, roofRear, 1),
          onCabin(shape, side, roofFront, 1),
        ],
        [0, side, 0.2],
      ),
    ),
    piece('pillars', null, 'paint', across(ends.front, 0, 1, 0), [1, 0, 0.3]),
    piece('pillars', null, 'paint', across(ends.rear, 0, 1, 0), [-1, 0, 0.3]),
    piece('windshield', 'windshield', 'glass', across(ends.front, 0.02, 0.96, 0.07), [1, 0, 0.3]),
    piece('rear_window', 'rear_window', 'glass', across(ends.rear, 0.06, 0.9, 0.12), [-1, 0, 0.3]),
    piece('roof', 'roof', 'paint', flat(roofHalf - rail, rail - roofHalf), [0, 0, 1]),
    ...SIDES.flatMap((side) => sideOf(shape, side, ends, flat(side * roofHalf, side * (roofHalf - rail)))),
  ];
}

function sideOf(
  shape: Shape,
  side: 1 | -1,
  ends: { front(rise: number): number; rear(rise: number): number },
  railTop: Vec3[],
): Piece[] {
  const name = sideName(side);
  const out: Vec3 = [0, side, 0.2];
  const [low, high] = [0.05, 0.8];
  const at = (x: number, rise: number): Vec3 => onCabin(shape, side, x, rise);
  const pane = (part: string, from: (rise: number) => number, to: (rise: number) => number): Piece =>
    piece(part, part, 'glass', [at(from(low), low), at(to(low), low), at(to(high), high), at(from(high), high)], out);
  const last = (rise: number): number =>
    Math.max(ends.rear(rise) + 0.16, shape.door3 - (shape.type === 'truck' ? 0 : 0.42));
  return [
    pane(
      `${name}_front_window`,
      (rise) => ends.front(rise) - 0.12,
      () => shape.door2 + 0.05,
    ),
    pane(`${name}_rear_window`, () => shape.door2 - 0.05, last),
    piece(
      `${name}_side_roof`,
      `${name}_side_roof`,
      'paint',
      [at(ends.front(0.82), 0.82), at(ends.rear(0.82), 0.82), at(ends.rear(1), 1), at(ends.front(1), 1)],
      out,
    ),
    piece(`${name}_side_roof`, `${name}_side_roof`, 'paint', railTop, [0, 0, 1]),
  ];
}
