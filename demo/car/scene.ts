import { seededRandom } from '../../domain/base/random.js';
import { hull, type Point } from '../../domain/geometry/hull.js';
import type { Tags } from '../../domain/tags.js';
import { lowerBody } from './body.js';
import { cabin } from './cabin.js';
import { mirror, tyres, wheels } from './fittings.js';
import { type Camera, cameraAt, type Vec3 } from './space.js';
import { type Piece, SIDES } from './surface.js';
import { type Shape, shapeOf, type VehicleType } from './vehicles.js';

/** Largest deviation of a near duplicate from its scene: at most 1 degree of yaw and 2 pixels each way. */
export interface Jitter {
  yaw: number;
  dx: number;
  dy: number;
}
export const MAX_JITTER_DEGREES = 1;
export const MAX_JITTER_PX = 2;
export const NO_JITTER: Jitter = { yaw: 0, dx: 0, dy: 0 };

/** One picture to draw; everything random in it follows from the two seeds, the jitter and `noise`. */
export interface SceneSpec {
  /** The car itself: shape and colour. */
  vehicleId: string;
  vehicle: VehicleType;
  /** The place and moment: backdrop, light, damage, framing. */
  sceneSeed: string;
  /** Grain of the sensor, different in every picture. */
  noise: string;
  jitter: Jitter;
  tags: Tags & { angle: NonNullable<Tags['angle']>; vehicle: VehicleType };
}

export interface FlatPiece extends Omit<Piece, 'points' | 'normal'> {
  points: Point[];
  /** How squarely light meets the surface, 0..1. */
  light: number;
}

export interface Scene {
  spec: SceneSpec;
  shape: Shape;
  size: number;
  pieces: FlatPiece[];
}

/** Surfaces at a flatter angle than this are left out of picture and mask: they are slivers. */
const MIN_FACING = 0.09;

/** Project a car into a square frame of `size` pixels; pieces come in painting order. */
export function buildScene(spec: SceneSpec, size: number): Scene {
  const shape = shapeOf(spec.vehicle, spec.vehicleId);
  const random = seededRandom(spec.sceneSeed, 'camera');
  const { angle, orientation } = spec.tags;
  const away = angle === 0 || angle === 180 ? 0 : (random() * 2 - 1) * 4;
  const yaw = angle + away;
  const shot = {
    side: orientation === 'right' ? (-1 as const) : (1 as const),
    elevation: 9 + random() * 6,
    distance: shape.length * (2.2 + random() * 1.2),
    target: [0, 0, shape.height * 0.48] as Vec3,
  };
  const settled = cameraAt({ ...shot, yaw });
  const camera = cameraAt({ ...shot, yaw: yaw + spec.jitter.yaw });
  const place = framing(shape, settled, spec, size, random);
  const sun: Vec3 = [random() - 0.5, random() - 0.5, 0.9];
  return { spec, shape, size, pieces: project(shape, camera, place, sun) };
}

function framing(
  shape: Shape,
  camera: Camera,
  spec: SceneSpec,
  size: number,
  random: () => number,
): (point: Point) => Point {
  const points = orderedPieces(shape, camera)
    .filter((piece) => piece.label !== undefined)
    .flatMap((piece) => piece.points.map(camera.project));
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const fill = 0.86 + random() * 0.07;
  const fit = (fill * size) / Math.max(right - left, bottom - top);
  const zoom = spec.tags.zoomed === true ? 1.5 + random() * 0.5 : 1;
  const scale = fit * zoom;
  // A zoomed picture looks at one end or the other of the car, never at its middle alone: some outline tells where one
  // is.
  const [ax, ay] = zoom > 1 ? [random() < 0.5 ? 0.27 : 0.73, 0.4 + random() * 0.2] : [0.5, 0.5];
  const slackY = Math.max(0, size - (bottom - top) * scale - 12) / 2;
  const cx = size / 2 + spec.jitter.dx;
  const cy = size / 2 + spec.jitter.dy + (zoom > 1 ? 0 : (random() * 2 - 1) * slackY * 0.6);
  return ([x, y]) => [cx + (x - left - ax * (right - left)) * scale, cy + (y - top - ay * (bottom - top)) * scale];
}

/** Far mirrors and tyres lie behind the body, the cabin stands on it, near mirrors are before all. */
function orderedPieces(shape: Shape, camera: Camera): Piece[] {
  const near = (side: 1 | -1): boolean =>
    camera.facing([0, (side * shape.width) / 2, shape.belt], [0, side, 0]) > MIN_FACING;
  const flat = (pieces: readonly Piece[]): Piece[] =>
    pieces.filter(
      ({ normal, points: [at] }) => normal === null || (at !== undefined && camera.facing(at, normal) > MIN_FACING),
    );
  return [
    ...SIDES.filter((side) => !near(side)).map((side) => mirror(shape, side)),
    ...tyres(shape),
    ...flat(lowerBody(shape)),
    ...flat(wheels(shape)),
    ...flat(cabin(shape)),
    ...SIDES.filter(near).map((side) => mirror(shape, side)),
  ];
}

function project(shape: Shape, camera: Camera, place: (point: Point) => Point, sun: Vec3): FlatPiece[] {
  const length = Math.hypot(...sun);
  return orderedPieces(shape, camera).map(({ points, normal, ...rest }) => {
    const placed = points.map((point) => place(camera.project(point)));
    const light =
      normal === null ? 0.55 : Math.max(0, (normal[0] * sun[0] + normal[1] * sun[1] + normal[2] * sun[2]) / length);
    return { ...rest, points: rest.solid === true ? hull(placed) : placed, light };
  });
}
