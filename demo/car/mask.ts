import type { Point } from '../../domain/geometry/hull.js';
import type { FlatPiece, Scene } from './scene.js';

/**
 * A part that shows less than this at 128 pixels is left out of the picture; the limit grows with the picture's area.
 */
export const MIN_PART_PX = 40;
const REFERENCE_SIDE = 128;

export interface ExactMask {
  size: number;
  /** Label values, row by row; exact, for every pixel belongs to the last piece that holds its centre. */
  pixels: Uint8Array;
  /** The remaining scene: a picture of these pieces agrees with the mask. */
  pieces: FlatPiece[];
}

/** The taxonomy's facts about a class. */
export interface ClassFacts {
  /** Its label value. */
  value: number;
  /** Whether it can be seen from this angle, in degrees from the front. */
  seenFrom(angle: number): boolean;
}

/**
 * The mask of a scene, without parts that no label has: too small ones, and slivers visible from views in which the
 * taxonomy does not have them. Repeated until there is none, since a removed part uncovers others.
 */
export function exactMask(scene: Scene, facts: (name: string) => ClassFacts): ExactMask {
  const least = MIN_PART_PX * (scene.size / REFERENCE_SIDE) ** 2;
  let pieces = scene.pieces;
  for (;;) {
    const { pixels, owners } = rasterise(pieces, scene.size, (name) => facts(name).value);
    const small = smallParts(pieces, owners, scene.size, least);
    const gone = small.size > 0 ? small : strangeParts(pieces, (name) => facts(name).seenFrom(scene.spec.tags.angle));
    if (gone.size === 0) return { size: scene.size, pixels, pieces };
    pieces = pieces.filter(({ part }) => !gone.has(part));
  }
}

/** Label values and, for each pixel, 1 + the index of the piece it shows (0 where there is none). */
function rasterise(
  pieces: readonly FlatPiece[],
  size: number,
  labelValue: (name: string) => number,
): { pixels: Uint8Array; owners: Uint16Array } {
  const pixels = new Uint8Array(size * size);
  const owners = new Uint16Array(size * size);
  pieces.forEach(({ label, points }, index) => {
    if (label === undefined) return;
    const value = label === null ? 0 : labelValue(label);
    fillPolygon(points, size, (from, to) => {
      pixels.fill(value, from, to);
      owners.fill(index + 1, from, to);
    });
  });
  return { pixels, owners };
}

/** Calls `fill` with the offsets of each run of pixels whose centres lie inside (even-odd). */
export function fillPolygon(points: readonly Point[], size: number, fill: (from: number, to: number) => void): void {
  const ys = points.map(([, y]) => y);
  const first = Math.max(0, Math.ceil(Math.min(...ys) - 0.5));
  const last = Math.min(size - 1, Math.floor(Math.max(...ys) - 0.5));
  for (let row = first; row <= last; row++) {
    const y = row + 0.5;
    const crossings: number[] = [];
    points.forEach(([x1, y1], index) => {
      const [x0, y0] = points.at(index - 1) ?? [x1, y1];
      if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    });
    crossings.sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const from = Math.max(0, Math.ceil((crossings[pair] ?? 0) - 0.5));
      const to = Math.min(size, Math.ceil((crossings[pair + 1] ?? 0) - 0.5));
      if (to > from) fill(row * size + from, row * size + to);
    }
  }
}

/** Labelled parts whose largest connected region is below `least` pixels. */
function smallParts(pieces: readonly FlatPiece[], owners: Uint16Array, size: number, least: number): Set<string> {
  const names = [...new Set(pieces.filter(({ label }) => typeof label === 'string').map(({ part }) => part))];
  const partOf = new Int16Array(pieces.length + 1).fill(-1);
  pieces.forEach(({ part, label }, index) => {
    if (typeof label === 'string') partOf[index + 1] = names.indexOf(part);
  });
  const parts = Int16Array.from(owners, (owner) => partOf[owner] ?? -1);
  const largest = new Map(names.map((name) => [name, 0]));
  for (const { value, area } of regions(parts, size)) {
    const name = names[value];
    if (name !== undefined) largest.set(name, Math.max(largest.get(name) ?? 0, area));
  }
  // Parts that do not show at all are harmless in the mask, but must not show through in the picture either.
  return new Set([...largest].filter(([, area]) => area < least).map(([name]) => name));
}

/** Labelled parts that the view cannot show. */
function strangeParts(pieces: readonly FlatPiece[], seen: (name: string) => boolean): Set<string> {
  return new Set(pieces.filter(({ label }) => typeof label === 'string' && !seen(label)).map(({ part }) => part));
}

/** Four-connected regions of equal values, those of negative values left out. */
export function* regions(
  values: Int16Array,
  size: number,
): Generator<{ value: number; area: number; members: number[] }> {
  const seen = new Uint8Array(values.length);
  for (let start = 0; start < values.length; start++) {
    const value = values[start] ?? -1;
    if (seen[start] === 1 || value < 0) continue;
    const members = [start];
    seen[start] = 1;
    for (let next = 0; next < members.length; next++) {
      const at = members[next] ?? 0;
      const x = at % size;
      for (const [near, inside] of [
        [at - 1, x > 0],
        [at + 1, x < size - 1],
        [at - size, at >= size],
        [at + size, at + size < values.length],
      ] as const) {
        if (inside && seen[near] === 0 && values[near] === value) {
          seen[near] = 1;
          members.push(near);
        }
      }
    }
    yield { value, area: members.length, members };
  }
}
