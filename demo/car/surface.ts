import { mix, normalOf, type Vec3 } from './space.js';
import type { Shape } from './vehicles.js';

export type Material =
  | 'paint'
  | 'glass'
  | 'black'
  | 'tyre'
  | 'rim'
  | 'lamp'
  | 'tail'
  | 'amber'
  | 'red'
  | 'plate'
  | 'ink'
  | 'slat'
  | 'shine'
  | 'seam';

/** One flat piece of the car. Pieces are painted in their order; a later one hides an earlier one. */
export interface Piece {
  /** Pieces of one part appear and vanish together; wheels are told apart by corner. */
  part: string;
  /**
   * Class of its pixels; null = background (pillars, underbody); undefined = looks only, the mask keeps what lies
   * below.
   */
  label: string | null | undefined;
  material: Material;
  points: readonly Vec3[];
  /** Outward; pieces that face away are not drawn. Null for hulls of solids, which always are. */
  normal: Vec3 | null;
  /** Draw the convex hull of the projected points. */
  solid?: boolean;
}

/** Half the body's width at `x`: it narrows towards both ends. */
export function halfWidth(shape: Shape, x: number): number {
  const beyond = Math.max(0, Math.abs(x) / shape.length - 0.3) / 0.2;
  return (shape.width / 2) * (1 - 0.1 * beyond * beyond);
}

/** Height of the body's upper edge (hood, belt, trunk) at `x`. */
export function topLine(shape: Shape, x: number): number {
  const front = shape.length / 2;
  if (x >= shape.cowl) return mix(shape.belt, shape.nose, (x - shape.cowl) / (front - shape.cowl));
  if (x <= shape.rearBase) return mix(shape.belt, shape.deck, (shape.rearBase - x) / (shape.rearBase + front));
  return shape.belt;
}

/** Points of the body's side from (x, z); `side` 1 is the driver's left. */
export const onSide = (shape: Shape, side: 1 | -1, points: readonly (readonly [number, number])[]): Vec3[] =>
  points.map(([x, z]) => [x, side * halfWidth(shape, x), z]);

/** Half the cabin's width at height `rise` (0 at the belt, 1 at the roof). */
export const cabinHalf = (shape: Shape, rise: number): number => (shape.width / 2) * 0.97 - shape.tumble * rise;

/** A point on the cabin's side: `x` in metres, `rise` from 0 at the belt to 1 at the roof. */
export const onCabin = (shape: Shape, side: 1 | -1, x: number, rise: number): Vec3 => [
  x,
  side * cabinHalf(shape, rise),
  mix(shape.belt, shape.height, rise),
];

/** A flat piece whose normal is computed from its first three points, pointing the way of `outward`. */
export function piece(
  part: string,
  label: Piece['label'],
  material: Material,
  points: readonly Vec3[],
  outward: Vec3,
): Piece {
  const [a, b, c] = points;
  if (a === undefined || b === undefined || c === undefined)
    throw new Error(`the piece ${part} has fewer than three points`);
  return { part, label, material, points, normal: normalOf(a, b, c, outward) };
}

export const sideName = (side: 1 | -1): 'left' | 'right' => (side === 1 ? 'left' : 'right');
export const SIDES = [1, -1] as const;
