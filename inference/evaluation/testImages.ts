import type { LoopConfig } from '../../domain/config.js';
import { type LeftOut, leftOutBy } from '../../domain/images/leftOut.js';
import type { EvaluationRow, IndexRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { forEachLimited } from '../../storage/parallel.js';
import { readImage, readLabel } from '../../storage/pictures/imageSource.js';
import { decodePictureAndLabel } from '../decode.js';
import type { SessionPool } from '../sessions/sessions.js';
import { scorePicture } from './scorePicture.js';
import { type ScoringSessions, withScoringSessions } from './scoringSessions.js';

const READ_AHEAD = 2;

export interface EvaluateRequest {
  pool: string;
  poolVersion: number;
  scanKey: string;
  /** sha256 of the file under `scanKey`. */
  modelDigest: string;
  /** Longest side in pixels of the grid on which pixels are counted. */
  size: number;
  config: LoopConfig;
  /** The side of the split that is judged; the test images if omitted. */
  split?: IndexRow['split'];
  /** Where the images in hand are noted; the place of loops if omitted. */
  inHand?: string;
  /** Judge the test images even if an evaluation is kept: a replay asked for it. */
  again?: boolean;
  signal: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** Images on which a model was judged, and those on which it could not be. */
export interface Judged {
  rows: EvaluationRow[];
  leftOut: LeftOut[];
}

/** Judge `test`. If these were gone or changed before (`retried`), a session is opened only if one of them is back. */
export async function judgeTestImages(
  deps: ActivityDeps,
  request: EvaluateRequest,
  test: readonly IndexRow[],
  taxonomy: Taxonomy,
  retried: boolean,
): Promise<Judged> {
  if (retried) {
    const still = await Promise.all(test.map((row) => reasonAgainst(deps, row)));
    if (still.every((image) => image !== null)) return { rows: [], leftOut: still };
  }
  return withScoringSessions(deps, request, test, taxonomy, (sessions) =>
    evaluateImages(deps, request, test, sessions),
  );
}

/**
 * Whether an image that was gone or changed still is. Nothing is decoded, since no note records the images in hand
 * here.
 */
async function reasonAgainst({ store }: ActivityDeps, row: IndexRow): Promise<LeftOut | null> {
  try {
    await Promise.all([readImage(store, row), readLabel(store, row)]);
    return null;
  } catch (error) {
    return leftOutBy(row, error);
  }
}

async function evaluateImages(
  deps: ActivityDeps,
  request: EvaluateRequest,
  test: readonly IndexRow[],
  { opened, judge }: ScoringSessions,
): Promise<Judged> {
  const rows: EvaluationRow[] = [];
  const leftOut: LeftOut[] = [];
  const judgeOne = async (row: IndexRow, index: number): Promise<void> => {
    try {
      rows.push(await judge(index, () => evaluateImage(deps, row, request.size, opened)));
    } catch (error) {
      leftOut.push(leftOutBy(row, error));
    }
    request.onProgress?.(rows.length + leftOut.length, test.length);
  };
  await forEachLimited(test, opened.sessions * (1 + READ_AHEAD), judgeOne, request.signal);
  return { rows, leftOut: leftOut.sort((a, b) => (a.imageId < b.imageId ? -1 : 1)) };
}

async function evaluateImage(
  { store }: ActivityDeps,
  row: IndexRow,
  gridSize: number,
  opened: SessionPool,
): Promise<EvaluationRow> {
  const [image, labelBytes] = await Promise.all([readImage(store, row), readLabel(store, row)]);
  const { picture, label } = await decodePictureAndLabel({ row, image, label: labelBytes }, opened);
  return scorePicture(opened, { row, picture, label }, gridSize);
}
