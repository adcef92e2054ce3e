import type { LoopConfig } from '../domain/config.js';
import { PartloopError } from '../domain/errors.js';
import { countBoundary } from '../domain/evaluation/boundary.js';
import { ClassSums, classLabels, countConfusion } from '../domain/evaluation/confusion.js';
import { cropTopLeft, resizeNearest } from '../domain/geometry/resize.js';
import { type LeftOut, leftOutBy } from '../domain/leftOut.js';
import type { EvaluationRow, IndexRow } from '../domain/tables.js';
import type { Taxonomy } from '../domain/taxonomy.js';
import { decodeForNetwork, decodeLabelOf, type NetworkImage } from '../inference/decode.js';
import { contentSize } from '../inference/letterbox.js';
import type { SessionPool } from '../inference/sessions.js';
import type { Watchdog } from '../inference/watchdog.js';
import { readImage, readLabel } from '../storage/imageSource.js';
import type { LabelMask } from '../storage/labelMask.js';
import type { ActivityDeps } from './deps.js';
import { throwIfCancelled } from './heartbeat.js';
import { type ScoringSessions, withScoringSessions } from './scoringSessions.js';

const READ_AHEAD = 2;
/** A picture that is read only to see whether it can be: the smallest that a network may have. */
const TRIAL_SIZE = 32;

export interface EvaluateRequest {
  pool: string;
  poolVersion: number;
  scanKey: string;
  /** sha256 of the file under `scanKey`. */
  modelDigest: string;
  /** Longest side in pixels of the grid that is counted on. */
  size: number;
  config: LoopConfig;
  signal: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** Images that a model was judged on, and those that it could not be. */
export interface Judged {
  rows: EvaluationRow[];
  leftOut: LeftOut[];
}

/** Judge `test`. Where these were bad before (`retried`), no session is opened unless one of them can be read by now. */
export async function judgeTestImages(
  deps: ActivityDeps,
  request: EvaluateRequest,
  test: readonly IndexRow[],
  taxonomy: Taxonomy,
  retried: boolean,
): Promise<Judged> {
  if (retried) {
    const still = await Promise.all(test.map((row) => reasonAgainst(deps, row, taxonomy)));
    if (still.every((image) => image !== null)) return { rows: [], leftOut: still };
  }
  return withScoringSessions(deps, request, test, taxonomy, (sessions) =>
    evaluateImages(deps, request, test, sessions, taxonomy),
  );
}

async function reasonAgainst(deps: ActivityDeps, row: IndexRow, taxonomy: Taxonomy): Promise<LeftOut | null> {
  try {
    await readTestImage(deps, row, TRIAL_SIZE, taxonomy);
    return null;
  } catch (error) {
    const leftOut = leftOutBy(row, error);
    if (leftOut === null) throw error;
    return leftOut;
  }
}

async function evaluateImages(
  deps: ActivityDeps,
  request: EvaluateRequest,
  test: readonly IndexRow[],
  { opened, judge }: ScoringSessions,
  taxonomy: Taxonomy,
): Promise<Judged> {
  const rows: EvaluationRow[] = [];
  const leftOut: LeftOut[] = [];
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < test.length) {
      if (request.signal.aborted) return;
      const index = next++;
      const row = test[index] as IndexRow;
      try {
        rows.push(await judge(index, () => evaluateImage(deps, row, request.size, opened, taxonomy)));
      } catch (error) {
        const bad = leftOutBy(row, error);
        if (bad === null) throw error;
        leftOut.push(bad);
      }
      request.onProgress?.(++done, test.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(test.length, opened.sessions * (1 + READ_AHEAD)) }, lane));
  throwIfCancelled(request.signal);
  return { rows, leftOut: leftOut.sort((a, b) => (a.imageId < b.imageId ? -1 : 1)) };
}

/** A picture for the network and its label, held against each other as the scan holds them. */
async function readTestImage(
  { store }: ActivityDeps,
  row: IndexRow,
  size: number,
  taxonomy: Taxonomy,
  watchdog?: Watchdog,
): Promise<{ picture: NetworkImage; label: LabelMask }> {
  const [image, labelBytes] = await Promise.all([readImage(store, row), readLabel(store, row)]);
  const { width, height } = row;
  const decoding = Promise.all([
    decodeForNetwork(image, size, row.fileName),
    decodeLabelOf(labelBytes, { width, height, classes: taxonomy.classes.length }, row.fileName),
  ]);
  const [picture, label] = await (watchdog?.guard(`${row.fileName} was not decoded`, decoding) ?? decoding);
  const indexed = contentSize(width, height, size);
  if (picture.width === indexed.width && picture.height === indexed.height) return { picture, label };
  throw new PartloopError(
    'data-invalid',
    `${row.fileName} has another shape than the ${width}×${height} it was imported with`,
  );
}

async function evaluateImage(
  deps: ActivityDeps,
  row: IndexRow,
  gridSize: number,
  opened: SessionPool,
  taxonomy: Taxonomy,
): Promise<EvaluationRow> {
  const { picture, label } = await readTestImage(deps, row, opened.size, taxonomy, opened.watchdog);
  const mask = await opened.predict(picture, row.fileName);
  const grid = contentSize(label.width, label.height, gridSize);
  const given = resizeNearest(label.pixels, label.width, label.height, grid.width, grid.height);
  const predicted = resizeNearest(
    cropTopLeft(mask, opened.size, picture.width, picture.height),
    picture.width,
    picture.height,
    grid.width,
    grid.height,
  );
  const labels = classLabels(taxonomy.classes.length);
  const confusion = countConfusion(given, predicted);
  const { imageId, fileName, vehicleId, angle, vehicle, damage, black, reflection, zoomed, orientation, region } = row;
  return {
    imageId,
    fileName,
    vehicleId,
    angle,
    vehicle,
    damage,
    black,
    reflection,
    zoomed,
    orientation,
    region,
    confusion,
    boundary: countBoundary(given, predicted, grid.width, grid.height, labels.length),
    imageMiou: new ClassSums().add(confusion).miouOfPresent(labels),
  };
}
