import type { Point } from '../../domain/geometry/hull.js';

/**
 * Metres; x towards the car's front, y to the driver's left, z up; the origin is on the ground under the car's middle.
 */
export type Vec3 = readonly [number, number, number];
const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (a: Vec3): Vec3 => {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
};
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

export interface Camera {
  project(point: Vec3): Point;
  /** Cosine between a surface's outward normal and the way to the camera; above 0 the surface faces it. */
  facing(at: Vec3, normal: Vec3): number;
}

/**
 * A pinhole camera that looks at `target` from `distance` metres. `yaw` in degrees is 0 in front of the car, 90 beside
 * it, 180 behind it, on the car's left for `side` 1 and on its right for -1; `elevation` in degrees is above the
 * target.
 */
export function cameraAt({
  yaw,
  side,
  elevation,
  distance,
  target,
}: {
  yaw: number;
  side: 1 | -1;
  elevation: number;
  distance: number;
  target: Vec3;
}): Camera {
  const [a, e] = [radians(yaw), radians(elevation)];
  const away: Vec3 = [Math.cos(a) * Math.cos(e), side * Math.sin(a) * Math.cos(e), Math.sin(e)];
  const position: Vec3 = [
    target[0] + distance * away[0],
    target[1] + distance * away[1],
    target[2] + distance * away[2],
  ];
  const forward: Vec3 = [-away[0], -away[1], -away[2]];
  const right = unit(cross(forward, [0, 0, 1]));
  const up = cross(right, forward);
  return {
    project: (point) => {
      const ray = minus(point, position);
      const depth = dot(ray, forward);
      return [dot(ray, right) / depth, -dot(ray, up) / depth];
    },
    facing: (at, normal) => dot(unit(minus(position, at)), normal),
  };
}

export const normalOf = (a: Vec3, b: Vec3, c: Vec3, outward: Vec3): Vec3 => {
  const normal = unit(cross(minus(b, a), minus(c, a)));
  return dot(normal, outward) >= 0 ? normal : [-normal[0], -normal[1], -normal[2]];
};
export const mix = (a: number, b: number, share: number): number => a + (b - a) * share;
