import { createHash } from 'node:crypto';
import { scanConfigSchema } from '../../domain/config.js';
import { resizeNearest } from '../../domain/geometry/resize.js';
import {
  type ClassIouByName,
  type ImageAnalysis,
  type ReduceEntry,
  reduceScan,
  type ScanReduction,
} from '../../domain/scan/index.js';
import { decodeForNetwork } from '../../inference/decode.js';
import { contentSize, padLabel } from '../../inference/letterbox.js';
import { openSessions } from '../../inference/sessions/sessions.js';
import type { BenchImage, BenchSet } from './data.js';
import type { Judged } from './models.js';

const SESSIONS = 2;

/** The inputs of the reduce of a scan. */
export interface AnalysedSet {
  entries: ReduceEntry[];
  /** Validation IoU by judge and class. */
  classIou: Record<string, ClassIouByName>;
}

/** The scan of a set by its judges: the real decode, sessions and analysis, then one reduce over all. */
export async function scanSet(
  set: BenchSet,
  judged: Judged,
  labelOf: (image: BenchImage) => Uint8Array,
  seed: number,
): Promise<ScanReduction> {
  const { entries, classIou } = await analyseSet(set, judged, labelOf, seed);
  return reduceScan(entries, set.taxonomy, scanConfigSchema.parse({}), classIou);
}

/** The work before the reduce: every image through the real decode, sessions and analysis. */
export async function analyseSet(
  set: BenchSet,
  { folds, judges }: Judged,
  labelOf: (image: BenchImage) => Uint8Array,
  seed: number,
): Promise<AnalysedSet> {
  const analyses = new Array<ImageAnalysis>(set.images.length);
  for (const [fold, judge] of judges.entries()) {
    const members = [...set.images.keys()].filter((index) => folds[index] === fold);
    const sessions = await openSessions(SESSIONS, {
      modelPath: judge.scanPath,
      name: judge.id,
      threads: 1,
      taxonomy: set.taxonomy,
    });
    try {
      const queue = members.values();
      await Promise.all(
        Array.from({ length: 2 * SESSIONS }, async () => {
          for (const index of queue) {
            const image = set.images[index] as BenchImage;
            const picture = await decodeForNetwork(image.bytes, sessions.size, image.fileName);
            const label = labelOnCanvas(labelOf(image), image, sessions.size);
            const injectSeed = `${seed}:${image.imageId}`;
            const { width, height } = picture;
            const question = { label, width, height, tags: image.tags, injectSeed };
            analyses[index] = await sessions.analyse(picture, question, image.fileName);
          }
        }),
      );
    } finally {
      await sessions.close();
    }
  }
  const entries = set.images.map((image, index): ReduceEntry => {
    const judge = judges[folds[index] as number];
    return {
      imageId: image.imageId,
      fileName: image.fileName,
      labelSha256: createHash('sha256').update(labelOf(image)).digest('hex'),
      analysis: analyses[index] ?? null,
      model: judge?.id ?? '',
      tags: image.tags,
      cluster: image.cluster,
    };
  });
  const known = judges.flatMap(({ id, classIou }) => (classIou === null ? [] : [[id, classIou] as const]));
  return { entries, classIou: Object.fromEntries(known) };
}

/** [S, S] label as the scan reads it, padding ignored. */
export function labelOnCanvas(label: Uint8Array, { width, height }: BenchImage, size: number): Uint8Array {
  const content = contentSize(width, height, size);
  return padLabel(
    resizeNearest(label, width, height, content.width, content.height),
    content.width,
    content.height,
    size,
  );
}
