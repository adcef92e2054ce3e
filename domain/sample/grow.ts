import type { SampleConfig } from '../config.js';
import { kindsText, type LeftOut } from '../images/leftOut.js';
import type { WorkOf } from '../stepContract.js';
import type { ChunkRow, IndexRow, ScanImageRow, TrainingRow } from '../tables.js';
import type { Taxonomy } from '../taxonomy.js';
import { estimatedWrongShare, type Sample, sampleChunk } from './sampleChunk.js';
import type { sampleStep } from './step.js';
import { joinTrainingSet, refreshRows, returningRows } from './trainingSet.js';

export interface GrowRequest {
  drawn: readonly ChunkRow[];
  scanned: readonly ScanImageRow[];
  /** The training set of the iteration before. */
  earlier: readonly TrainingRow[];
  /** The pool's, of the version that was drawn from. */
  index: readonly IndexRow[];
  taxonomy: Taxonomy;
  config: SampleConfig;
  seed: number;
  iteration: number;
}

export interface Grown {
  /** What was drawn, and images that this scan let out of quarantine. */
  chunk: ChunkRow[];
  /** Images to pick. */
  budget: number;
  sample: Sample;
  /** How many of the earlier training set are trained on no longer. */
  takenOut: number;
  /** The training set with the picks. */
  wanted: TrainingRow[];
}

/**
 * Pick what the model needs of a scanned chunk, and add it to what is trained on. Pure: equal requests give equal
 * picks.
 */
export function growTrainingSet(request: GrowRequest): Grown {
  const { drawn, scanned, earlier, index, taxonomy, config, seed, iteration } = request;
  const trainingSet = refreshRows(earlier, index, scanned);
  const chunk = [...drawn, ...returningRows(scanned, drawn, trainingSet, index)];
  const budget = Math.round(config.share * drawn.length);
  const sample = sampleChunk({ chunk, scan: scanned, trainingSet, taxonomy, config, budget, seed, iteration });
  const wanted = joinTrainingSet(trainingSet, chunk, sample.rows, iteration);
  return { chunk, budget, sample, takenOut: earlier.length - trainingSet.length, wanted };
}

/** What step sample tells. `trainingSet` counts what is left of the wanted images without those that are left out. */
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
