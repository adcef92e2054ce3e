import { type Scored, scoreMask } from '../../domain/evaluate/scoreMask.js';
import { cropTopLeft, resizeNearest } from '../../domain/geometry/resize.js';
import type { EvaluationRow } from '../../domain/tables.js';
import type { NetworkImage } from '../decode.js';
import { contentSize } from '../letterbox.js';
import type { SessionPool } from '../sessions/sessions.js';

/** One test image for the network, with its right label at the label's own size. */
export interface TestPicture {
  row: Scored;
  picture: NetworkImage;
  label: { pixels: Uint8Array; width: number; height: number };
}

/** Judge one test image. The grid is the label at longest side `gridSize`, nearest neighbour, without padding. */
export async function scorePicture(
  opened: SessionPool,
  { row, picture, label }: TestPicture,
  gridSize: number,
): Promise<EvaluationRow> {
  const { mask, pMask } = await opened.look(picture, row.fileName);
  const { width, height } = picture;
  const grid = contentSize(label.width, label.height, gridSize);
  const onGrid = (plane: Uint8Array): Uint8Array =>
    resizeNearest(cropTopLeft(plane, opened.size, width, height), width, height, grid.width, grid.height);
  return scoreMask(row, {
    given: resizeNearest(label.pixels, label.width, label.height, grid.width, grid.height),
    predicted: onGrid(mask),
    probabilities: onGrid(pMask),
    ...grid,
    classes: opened.classes,
  });
}
