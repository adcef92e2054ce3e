import { PartloopError } from '../domain/base/errors.js';
import { type Component, connectedComponents, skipValues } from '../domain/geometry/components.js';
import { BACKGROUND, IGNORE_INDEX } from '../domain/taxonomy.js';
import type { ManifestImage } from './manifest.js';

type Size = Pick<ManifestImage, 'width' | 'height'>;

/** Pieces that a label may be in where each becomes an object: more are speckles, of which a tool would show none. */
const MAX_PIECES = 250_000;

/** The connected pieces of an image's classes. */
export interface LabelRegions {
  /** In order of their first pixels. */
  list: readonly Component[];
  /** Id of each pixel's piece, row by row; -1 outside. */
  ids: Int32Array;
}

/**
 * The pieces of a raster.
 *
 * @throws PartloopError `data-invalid` for a speckled label, which only index masks can represent
 */
export function labelRegions({ width, height }: Size, raster: Uint8Array): LabelRegions {
  try {
    return connectedComponents(raster, width, height, skipValues(BACKGROUND, IGNORE_INDEX), MAX_PIECES);
  } catch (cause) {
    if (!(cause instanceof PartloopError)) throw cause;
    throw new PartloopError(cause.code, cause.message, {
      cause,
      hint: 'Export it as index masks: --format masks or cvat.',
    });
  }
}

/** The findings whose box overlaps a piece of their class. */
export function findingsAt({ width, height, findings }: ManifestImage, component: Component): string[] {
  const { value, x0, y0, x1, y1 } = component;
  return findings
    .filter(
      ({ classId, box }) =>
        (classId === BACKGROUND || classId === value) &&
        box[0] * width < x1 &&
        box[2] * width > x0 &&
        box[1] * height < y1 &&
        box[3] * height > y0,
    )
    .map(({ findingId }) => findingId);
}

/**
 * The pixels of each piece as runs: pairs of first position and the one after the last, ascending. Positions count row
 * by row, or column by column as COCO does. One walk over the raster for all pieces.
 */
export function regionRuns(
  { list, ids }: LabelRegions,
  { width, height }: Size,
  order: 'rows' | 'columns',
): (component: Component) => Int32Array {
  const byColumn = order === 'columns';
  const walk = (visit: (id: number, from: number, to: number) => void): void => {
    let open = -1;
    let from = 0;
    const [lines, length] = byColumn ? [width, height] : [height, width];
    for (let line = 0, position = 0; line < lines; line++) {
      for (let along = 0; along < length; along++, position++) {
        const id = ids[byColumn ? along * width + line : position] as number;
        if (id === open) continue;
        if (open >= 0) visit(open, from, position);
        open = id;
        from = position;
      }
    }
    if (open >= 0) visit(open, from, ids.length);
  };
  const begin = new Int32Array(list.length + 1);
  walk((id) => {
    begin[id + 1] = (begin[id + 1] as number) + 2;
  });
  for (let id = 0; id < list.length; id++) begin[id + 1] = (begin[id + 1] as number) + (begin[id] as number);
  const next = begin.slice();
  const runs = new Int32Array(begin[list.length] as number);
  walk((id, from, to) => {
    const at = next[id] as number;
    runs[at] = from;
    runs[at + 1] = to;
    next[id] = at + 2;
  });
  return ({ id }) => runs.subarray(begin[id], begin[id + 1]);
}
