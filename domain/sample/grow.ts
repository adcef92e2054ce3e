import type { SampleConfig } from '../config.js';
import { kindsText, type LeftOut } from '../images/leftOut.js';
import type { WorkOf } from '../stepContract.js';
import type { Taxonomy } from '../taxonomy.js';
import type { JudgedRow, OfferedRow } from './columns.js';
import { estimatedWrongShare, type Sample, sampleChunk } from './sampleChunk.js';
import type { sampleStep } from './step.js';
import type { TrainingSet } from './trainingSet.js';

export interface GrowRequest {
  drawn: readonly OfferedRow[];
  scanned: readonly JudgedRow[];
  /** Images of the training set of the iteration before. */
  earlier: number;
  /** Those that are still trained on, as the pool has them at the version of the draw. */
  trainingSet: TrainingSet;
  /** Images of earlier chunks that this scan let out of quarantine (`returningImages`), in order of image id. */
  returning: readonly OfferedRow[];
  taxonomy: Taxonomy;
  config: SampleConfig;
  seed: number;
  iteration: number;
}

export interface Grown {
  /** The drawn images, and images that this scan let out of quarantine. */
  chunk: OfferedRow[];
  /** Images to pick. */
  budget: number;
  sample: Sample;
  /** Number of images of the earlier training set that are no longer trained on. */
  takenOut: number;
  /** The picks that the training set does not have yet: image ids. */
  added: Set<string>;
}

/** Pick the images that the model needs from a scanned chunk. Pure: equal requests give equal picks. */
export function growTrainingSet(request: GrowRequest): Grown {
  const { drawn, scanned, earlier, trainingSet, returning, taxonomy, config, seed, iteration } = request;
  const chunk = [...drawn, ...returning];
  const budget = config.count === null ? Math.round(config.share * drawn.length) : Math.min(config.count, chunk.length);
  const sample = sampleChunk({ chunk, scan: scanned, trainingSet, taxonomy, config, budget, seed, iteration });
  const added = new Set(sample.rows.flatMap(({ imageId }) => (trainingSet.has(imageId) ? [] : imageId)));
  return { chunk, budget, sample, takenOut: earlier - trainingSet.count, added };
}

/** The facts of step sample. `trainingSet` counts the wanted images without those that are left out. */
export function sampleFacts(
  { drawn, scanned }: Pick<GrowRequest, 'drawn' | 'scanned'>,
  { budget, sample, takenOut }: Grown,
  { trainingSet, leftOut }: { trainingSet: number; leftOut: readonly LeftOut[] },
): WorkOf<typeof sampleStep>['facts'] {
  const wrongShareOf = (rows: readonly { imageId: string }[]): number | null =>
    estimatedWrongShare(
      scanned,
      rows.map((row) => row.imageId),
    );
  return {
    budget,
    candidates: sample.candidates,
    interior: sample.interior,
    sampled: sample.rows.length,
    random: sample.rows.filter((row) => row.reason === 'random').length,
    trainingSet,
    takenOut,
    leftOut: leftOut.length,
    leftOutWhy: kindsText(leftOut),
    wrongShareSample: wrongShareOf(sample.rows),
    wrongShareChunk: wrongShareOf(drawn),
  };
}
