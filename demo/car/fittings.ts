import type { Vec3 } from './space.js';
import { cabinHalf, halfWidth, type Piece, SIDES, sideName } from './surface.js';
import type { Shape } from './vehicles.js';

const CORNERS = 28;

const ring = (x: number, y: number, z: number, radius: number, corners = CORNERS): Vec3[] =>
  Array.from({ length: corners }, (_, corner) => {
    const turn = (corner / corners) * 2 * Math.PI;
    return [x + radius * Math.cos(turn), y, z + radius * Math.sin(turn)];
  });

const axles = (shape: Shape): { x: number; end: 'front' | 'rear' }[] => [
  { x: shape.wheelFront, end: 'front' },
  { x: shape.wheelRear, end: 'rear' },
];

/** The four tyres as solids, to be painted before the body, which hides most of them. */
export function tyres(shape: Shape): Piece[] {
  return SIDES.flatMap((side) =>
    axles(shape).map(({ x, end }): Piece => {
      const y = side * (halfWidth(shape, x) - 0.03);
      return {
        part: `wheel:${sideName(side)}:${end}`,
        label: 'wheel',
        material: 'tyre',
        normal: null,
        solid: true,
        points: [
          ...ring(x, y, shape.wheelRadius, shape.wheelRadius),
          ...ring(x, y - side * 0.24, shape.wheelRadius, shape.wheelRadius),
        ],
      };
    }),
  );
}

/** The wheels on the body's sides, in their arches. */
export function wheels(shape: Shape): Piece[] {
  return SIDES.flatMap((side) =>
    axles(shape).flatMap(({ x, end }): Piece[] => {
      const y = side * (halfWidth(shape, x) + 0.01);
      const r = shape.wheelRadius;
      const part = `wheel:${sideName(side)}:${end}`;
      const disc = (label: Piece['label'], material: Piece['material'], radius: number, corners?: number): Piece => ({
        part,
        label,
        material,
        normal: [0, side, 0],
        points: ring(x, y, r, radius, corners),
      });
      const arch = ring(x, y, r, r * 1.16).filter(([, , z]) => z >= shape.bottom);
      return [
        { part, label: null, material: 'black', normal: [0, side, 0], points: arch, solid: true },
        disc('wheel', 'tyre', r),
        disc(undefined, 'rim', r * 0.66),
        disc(undefined, 'black', r * 0.5, 5),
        disc(undefined, 'rim', r * 0.22),
      ];
    }),
  );
}

/** A door mirror, as a solid. */
export function mirror(shape: Shape, side: 1 | -1): Piece {
  const part = `${sideName(side)}_mirror`;
  const inner = cabinHalf(shape, 0) - 0.02;
  const [x0, x1] = [shape.door1 - 0.42, shape.door1 - 0.1];
  const [z0, z1] = [shape.belt - 0.03, shape.belt + 0.25];
  const points = [x0, x1].flatMap((x) =>
    [inner, inner + 0.3].flatMap((y) => [z0, z1].map((z): Vec3 => [x + (y > inner ? 0 : 0.03), side * y, z])),
  );
  return { part, label: part, material: 'paint', normal: null, solid: true, points };
}
