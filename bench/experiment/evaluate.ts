import { scoreMask } from '../../domain/evaluate/scoreMask.js';
import { summariseEvaluation } from '../../domain/evaluate/summary.js';
import { cropTopLeft, resizeNearest } from '../../domain/geometry/resize.js';
import type { EvaluationRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { decodeForNetwork } from '../../inference/decode.js';
import { contentSize } from '../../inference/letterbox.js';
import { openSessions } from '../../inference/sessions/sessions.js';
import type { BenchImage } from '../detect/data.js';

const SESSIONS = 2;
const WEAK = ['black and reflective', 'damaged', 'zoomed'] as const;

/** The figures of one trained network on the test images, 0..1; null where the test images have none. */
export interface Scores {
  miou: number | null;
  majorMiou: number | null;
  minorMiou: number | null;
  boundaryIou: number | null;
  worstClass: number | null;
  black: number | null;
  damaged: number | null;
  zoomed: number | null;
}
export const SCORES = [
  'miou',
  'majorMiou',
  'minorMiou',
  'boundaryIou',
  'worstClass',
  'black',
  'damaged',
  'zoomed',
] as const satisfies readonly (keyof Scores)[];

/** Score a network on test images, as the loop's step evaluate does. */
export async function evaluateNetwork(
  modelPath: string,
  test: readonly BenchImage[],
  taxonomy: Taxonomy,
  gridSize: number,
): Promise<Scores> {
  const opened = await openSessions(SESSIONS, { modelPath, name: modelPath, threads: 1, taxonomy });
  const rows = new Array<EvaluationRow>(test.length);
  try {
    const queue = test.entries();
    await Promise.all(
      Array.from({ length: 2 * SESSIONS }, async () => {
        for (const [index, image] of queue) {
          const picture = await decodeForNetwork(image.bytes, opened.size, image.fileName);
          const mask = await opened.predict(picture, image.fileName);
          const grid = contentSize(image.width, image.height, gridSize);
          const given = resizeNearest(image.clean, image.width, image.height, grid.width, grid.height);
          const { width, height } = picture;
          const content = cropTopLeft(mask, opened.size, width, height);
          const predicted = resizeNearest(content, width, height, grid.width, grid.height);
          const { imageId, fileName, vehicleId, tags } = image;
          const facts = { imageId, fileName, vehicleId, ...tags };
          rows[index] = scoreMask(facts, {
            given,
            predicted,
            probabilities: null,
            ...grid,
            classes: taxonomy.classes.length,
          });
        }
      }),
    );
  } finally {
    await opened.close();
  }
  const { miou, majorMiou, minorMiou, boundaryIou, classes, slices } = summariseEvaluation(rows, taxonomy);
  const known = classes.flatMap(({ iou }) => (iou === null ? [] : [iou]));
  const [black, damaged, zoomed] = WEAK.map((name) => slices.find((slice) => slice.name === name)?.miou ?? null);
  return {
    ...{ miou, majorMiou, minorMiou, boundaryIou },
    worstClass: known.length === 0 ? null : Math.min(...known),
    ...{ black: black ?? null, damaged: damaged ?? null, zoomed: zoomed ?? null },
  };
}
