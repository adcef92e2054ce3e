import type { PartloopError } from '../../domain/base/errors.js';
import { seededRandom } from '../../domain/base/random.js';
import { isFaultOfImage } from '../../domain/images/leftOut.js';
import type { ImageAnalysis } from '../../domain/scan/index.js';
import type { ChunkRow } from '../../domain/tables.js';
import { tagsSchema } from '../../domain/tags.js';
import { derivativeSide } from '../../domain/train/derivativeSide.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import { readImage, readLabel } from '../../storage/pictures/imageSource.js';
import type { LabelMask } from '../../storage/pictures/labelMask.js';
import { isFaultOfAnswer } from '../answer.js';
import { decodePictureAndLabel, fitLabel, type PictureBytes } from '../decode.js';
import { writeDerivative } from '../derivative.js';
import { contentSize } from '../letterbox.js';
import { isStalled } from '../watchdog.js';
import type { SessionPool } from './sessions.js';

/** The scan's result for one image, for the reduce. */
export interface ScannedImage extends Named<ImageAnalysis> {
  row: ChunkRow;
}

/** The result for an image, or the reason why there is none. */
interface Named<T> {
  analysis: T | null;
  error: string | null;
  /** True if the error is that the model's answer cannot be used. */
  unusable: boolean;
}

export interface ScanRequest {
  store: ObjectStore;
  pool: string;
  rows: readonly ChunkRow[];
  sessions: SessionPool;
  seed: number;
  /**
   * Share of the images, 0..1, whose labels are also analysed with injected errors: calibration needs thousands, not
   * all.
   */
  injectShare: number;
  signal: AbortSignal;
  /** Awaited before native code sees the picture at `index`; it notes the picture as in hand. */
  beforeImage?(index: number): Promise<void>;
  /** Called once per image, in order of arrival, with its place among the rows. The caller decides what to keep. */
  onScanned(image: ScannedImage, index: number): void;
  /** Called if native code does not return from the picture at `index`; the scan fails. */
  onStalled?(index: number, error: PartloopError): Promise<void>;
}

/** One picture with its label, as read from the store, and the manner of its judgement. */
export interface PictureToJudge extends PictureBytes {
  row: ChunkRow;
  seed: number;
  injectShare: number;
}

/** Pictures read ahead of each session: enough to keep it busy; a shard of any length takes no more memory. */
const READ_AHEAD = 2;

/**
 * Judge rows with bounded read-ahead. An unreadable picture or label, or one for which the model gives no number, is
 * reported with its reason and never stops the rest. An abort ends after the pictures in hand.
 */
export async function scanRows(request: ScanRequest): Promise<void> {
  const { rows, sessions, signal } = request;
  const judge = async (_: ChunkRow, index: number): Promise<void> => {
    try {
      request.onScanned(await scanRow(request, index), index);
    } catch (error) {
      if (isStalled(error)) await request.onStalled?.(index, error);
      throw error;
    }
  };
  await forEachLimited(rows, sessions.sessions * (1 + READ_AHEAD), judge, signal);
}

async function scanRow(request: ScanRequest, index: number): Promise<ScannedImage> {
  const { store, pool, sessions, seed, injectShare } = request;
  const row = request.rows[index] as ChunkRow;
  return orNamed(row, async () => {
    const [image, label] = await Promise.all([
      readImage(store, row),
      readLabel(store, row),
      request.beforeImage?.(index),
    ]);
    return judgePicture(sessions, { row, image, label, seed, injectShare }, (given) =>
      writeDerivative(store, pool, row, derivativeSide(sessions.size), image, given),
    );
  });
}

/** The same for a picture whose bytes are loaded; `meanwhile` gets its decoded label while the network runs. */
export async function judgePicture(
  sessions: SessionPool,
  { row, image, label, seed, injectShare }: PictureToJudge,
  meanwhile: (label: LabelMask) => Promise<void> = () => Promise.resolve(),
): Promise<ImageAnalysis> {
  const { labelSize } = sessions;
  const { picture, label: given } = await decodePictureAndLabel({ row, image, label }, sessions);
  const question = {
    label: fitLabel(given, labelSize),
    ...contentSize(row.width, row.height, labelSize),
    tags: tagsSchema.parse(row),
    injectSeed: seededRandom(`inject:${seed}:${row.imageId}`)() < injectShare ? `${seed}:${row.imageId}` : null,
  };
  const [analysis] = await Promise.all([sessions.analyse(picture, question, row.fileName), meanwhile(given)]);
  return analysis;
}

/** The result of `judge` for an image, or the error that concerns only this image. */
export async function orNamed<T>(row: ChunkRow, judge: () => Promise<T>): Promise<Named<T> & { row: ChunkRow }> {
  try {
    return { row, analysis: await judge(), error: null, unusable: false };
  } catch (error) {
    const unusable = isFaultOfAnswer(error);
    if (unusable || isFaultOfImage(error)) return { row, analysis: null, error: error.message, unusable };
    throw error;
  }
}
