import { recorded } from '../base/recorded.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';
import { type TrainConfig, trainConfigSchema } from './config.js';

/** `job.json`: the input of the trainer (`trainer/partloop_trainer/job.py`). It refuses unknown fields. */
export interface TrainerJob {
  version: 1;
  /** Absolute paths, as all others here. */
  workDir: string;
  train: string;
  val: string | null;
  /** By label value; the background is the first. */
  classes: string[];
  mirrorPairs: [number, number][];
  taxonomyDigest: string;
  trainingSetDigest: string;
  attempt: string;
  seed: number;
  validationSize: number;
  /** The loop's settings, with backbone weights in the trainer's form. */
  settings: TrainerSettings;
  progressEvery: number;
  keepCheckpoints: number;
  stopAfter: number | null;
  warmStart: string | null;
}

/** The configuration without the fields that the job has as paths. */
export type TrainerSettings = Omit<TrainConfig, 'warmStart'>;

/** Number of checkpoints kept, both on disk and in the store. */
export const KEPT_CHECKPOINTS = 3;

export interface TrainerJobParts {
  config: TrainConfig;
  taxonomy: Taxonomy;
  taxonomyDigest: string;
  trainingSetDigest: string;
  seed: number;
  /** Longest side in pixels of the grid that validation counts on. */
  validationSize: number;
  attempt: string;
  /** Absolute paths on the machine that trains. */
  workDir: string;
  train: string;
  val: string | null;
  /** `package`, `hub`, `random`, or an absolute path. */
  weights: string;
  /** Absolute path of another run's weights.pt to start from; null starts from the backbone's weights. */
  warmStart?: string | null;
  /** Iteration after which the run is measured and ended; null trains to the end. */
  stopAfter?: number | null;
}

/** The job of a training run: settings of the loop, classes and mirror pairs of the taxonomy, paths of this machine. */
export function trainerJob(parts: TrainerJobParts): TrainerJob {
  // The trainer refuses unknown settings; a setting that a later build recorded has no effect here.
  const { warmStart: _, ...settings } = recorded(trainConfigSchema).parse(parts.config);
  return {
    version: 1,
    workDir: parts.workDir,
    train: parts.train,
    val: parts.val,
    classes: labelNames(parts.taxonomy),
    mirrorPairs: mirrorPairs(parts.taxonomy),
    taxonomyDigest: parts.taxonomyDigest,
    trainingSetDigest: parts.trainingSetDigest,
    attempt: parts.attempt,
    seed: parts.seed,
    validationSize: parts.validationSize,
    settings: { ...settings, weights: parts.weights },
    progressEvery: Math.max(1, Math.min(10, settings.checkpointEvery)),
    keepCheckpoints: KEPT_CHECKPOINTS,
    stopAfter: parts.stopAfter ?? null,
    warmStart: parts.warmStart ?? null,
  };
}

/** Pairs of label values that a mirrored picture swaps, each pair once, the lower value first. */
export function mirrorPairs(taxonomy: Taxonomy): [number, number][] {
  const names = labelNames(taxonomy);
  const pairs: [number, number][] = [];
  for (const [index, entry] of taxonomy.classes.entries()) {
    const other = entry.mirror === null ? -1 : names.indexOf(entry.mirror);
    if (other > index + 1) pairs.push([index + 1, other]);
  }
  return pairs;
}
