import { z } from 'zod';
import { summariseEvaluation } from '../../domain/evaluate/summary.js';
import type { EvaluationRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { decodeForNetwork } from '../../inference/decode.js';
import { scorePicture } from '../../inference/evaluation/scorePicture.js';
import { openSessions } from '../../inference/sessions/sessions.js';
import type { BenchImage } from '../detect/data.js';

const SESSIONS = 2;
const WEAK = ['black and reflective', 'damaged', 'zoomed'] as const;

const share = z.number().min(0).max(1).nullable();
/** The figures of one trained network on the test images, 0..1; null where the test images have none. */
export const scoresSchema = z.object({
  miou: share,
  majorMiou: share,
  minorMiou: share,
  boundaryIou: share,
  worstClass: share,
  black: share,
  damaged: share,
  zoomed: share,
});
export type Scores = z.infer<typeof scoresSchema>;
export const SCORES = scoresSchema.keyof().options;

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
          const { imageId, fileName, vehicleId, tags, clean: pixels, width, height } = image;
          const row = { imageId, fileName, vehicleId, ...tags };
          rows[index] = await scorePicture(opened, { row, picture, label: { pixels, width, height } }, gridSize);
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
