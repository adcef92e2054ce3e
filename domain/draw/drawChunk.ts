import { counted } from '../base/counted.js';
import { PartloopError } from '../base/errors.js';
import { seededRandom, shuffle } from '../base/random.js';
import { isInSplit, type SplitChoice } from '../scan/judge/split.js';
import type { ChunkRow } from '../tables.js';
import { type DrawColumns, pickRows, rowsWhere, splitAt } from './drawColumns.js';
import { nearDuplicateGroups } from './nearDuplicates.js';
import { type NotDrawn, whyRowNotDrawn } from './notDrawn.js';

export interface DrawRequest {
  /** Newest revision of every image of the pinned pool version. */
  index: DrawColumns;
  /** Ids that earlier iterations of this loop drew. */
  drawnBefore: ReadonlySet<string>;
  chunkSize: number;
  seed: number;
  iteration: number;
  /** For messages. */
  pool: string;
  /** Images that a scan outside a loop judges; a loop draws from `train`. */
  split?: SplitChoice;
  /** Training images that are known to show the picture of a test image, saved again: they are not drawn. */
  copies?: ReadonlySet<string>;
}

/** What a draw may take. */
export interface DrawOrder {
  /** Row numbers of the index, at random: the first ones are drawn. */
  rows: readonly number[];
  /** Why the other images of the pool are not among them. */
  leftOut: DrawnChunk['leftOut'];
}

export interface DrawnChunk {
  /** In order of image id, each with the group of near duplicates that it belongs to. */
  images: Pick<ChunkRow, 'imageId' | 'cluster'>[];
  /** Candidates left for later iterations. */
  remaining: number;
  testImages: number;
  /** Why the other images of the pool were no candidates; with `images` and `remaining` they add up to the index. */
  leftOut: Record<NotDrawn | 'drawnBefore', number>;
}

/**
 * Draw a uniform sample of the images a loop has not seen. Interior pictures, test images, their vehicles, and their
 * copies as far as hashes and `copies` tell are never drawn. Pure: the same request gives the same chunk. `wholeRows`
 * checks the rows of it once more.
 *
 * @throws PartloopError `pool-exhausted` if nothing is left
 */
export const drawChunk = (request: DrawRequest): DrawnChunk => chunkOf(request, drawOrder(request), new Set());

/** All images that may be drawn, in the order in which they are. */
export function drawOrder(request: DrawRequest): DrawOrder {
  const { index, drawnBefore, seed, iteration, split = 'train', copies = new Set() } = request;
  const leftOut = {
    ...{ otherTrain: 0, otherVal: 0, otherTest: 0 },
    ...{ interior: 0, drawnBefore: 0, testVehicle: 0, testCopy: 0 },
  };
  const reasonOf = whyRowNotDrawn(index, split);
  const isDrawn = rowsOf(index, drawnBefore);
  const isCopy = rowsOf(index, copies);
  const candidates = rowsWhere(index, (row) => {
    const reason = reasonOf(row) ?? (isCopy[row] === 1 ? 'testCopy' : isDrawn[row] === 1 ? 'drawnBefore' : null);
    if (reason !== null) leftOut[reason]++;
    return reason === null;
  });
  return { rows: shuffle([...candidates], seededRandom(seed, iteration, 'draw')), leftOut };
}

/**
 * The first images of an order, without those that turned out to be copies of test images.
 *
 * @throws PartloopError `pool-exhausted` if nothing is left
 */
export function chunkOf(request: DrawRequest, order: DrawOrder, copies: ReadonlySet<number>): DrawnChunk {
  const { index, chunkSize, split = 'train' } = request;
  const candidates = order.rows.filter((row) => !copies.has(row));
  const leftOut = { ...order.leftOut, testCopy: order.leftOut.testCopy + copies.size };
  if (candidates.length === 0) throw exhausted(request, leftOut);
  const picked = candidates.slice(0, chunkSize).sort((a, b) => a - b);
  const clusterOf = groupsOf(index, split);
  return {
    images: picked.map((row) => ({ imageId: index.ids.at(row), cluster: index.ids.at(clusterOf(row)) })),
    remaining: candidates.length - picked.length,
    testImages: rowsWhere(index, (row) => splitAt(index, row) === 'test').length,
    leftOut,
  };
}

/** How many images a loop could draw that has drawn some before. */
export function countUndrawn(
  index: DrawColumns,
  drawnBefore: ReadonlySet<string>,
  copies: ReadonlySet<string> = new Set(),
): number {
  const reasonOf = whyRowNotDrawn(index, 'train');
  const isDrawn = rowsOf(index, drawnBefore);
  const isCopy = rowsOf(index, copies);
  return rowsWhere(index, (row) => isDrawn[row] === 0 && isCopy[row] === 0 && reasonOf(row) === null).length;
}

/** 1 for each row of an image that is named; what the index does not have is ignored. */
function rowsOf({ ids }: DrawColumns, imageIds: ReadonlySet<string>): Uint8Array {
  const named = new Uint8Array(ids.count);
  for (const imageId of imageIds) {
    const row = ids.find(imageId);
    if (row >= 0) named[row] = 1;
  }
  return named;
}

/**
 * For a row the first one of its group. Groups come from all training images, so that a group keeps its name from chunk
 * to chunk; for another side of the split, from all images.
 */
function groupsOf(index: DrawColumns, split: SplitChoice): (row: number) => number {
  if (split !== 'train') {
    const groups = nearDuplicateGroups(index);
    return (row) => groups[row] as number;
  }
  const rows = rowsWhere(index, (row) => splitAt(index, row) === 'train');
  const groups = nearDuplicateGroups(pickRows(index, rows));
  const places = new Int32Array(index.ids.count);
  rows.forEach((row, place) => {
    places[row] = place;
  });
  return (row) => rows[groups[places[row] as number] as number] as number;
}

function exhausted(
  { index, drawnBefore, pool, split = 'train' }: DrawRequest,
  leftOut: DrawnChunk['leftOut'],
): PartloopError {
  const reasons = Object.entries(leftOut)
    .filter(([reason, count]) => count > 0 && !reason.startsWith('other'))
    .map(([reason, count]) => `${reason}: ${count}`);
  const side = rowsWhere(index, (row) => isInSplit({ split: splitAt(index, row) }, split)).length;
  const which = { train: 'training ', val: 'validation ', test: 'test ', all: '' }[split];
  return new PartloopError(
    'pool-exhausted',
    `pool \`${pool}\` has no image left to draw: of ${counted(side, `${which}image`, `${which}images`)} ${reasons.join(', ') || 'there is none'}`,
    {
      hint: `Import more images${drawnBefore.size === 0 ? '.' : ', or start a loop under another name to draw from the beginning.'}`,
    },
  );
}
