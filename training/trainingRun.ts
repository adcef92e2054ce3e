import type { TrainConfig } from '../domain/config.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import type { IndexRow } from '../domain/tables.js';
import type { Taxonomy } from '../domain/taxonomy.js';
import type { TrainerJob } from '../domain/train/job.js';
import type { TrainingList } from '../domain/train/modelCard.js';
import type { Attempt } from '../steps/runStep.js';
import type { LostCheckpoint, Turn } from './checkpoints/chainState.js';
import type { RecipePin } from './settings/recipe.js';
import type { WarmStart } from './settings/warmStart.js';

/** Actions of a person for a stalled training: commands, or steps in the Temporal UI, in words. */
export interface Commands {
  /** Tries again, from the newest checkpoint. */
  retry: string;
  /** Trains from the start if no checkpoint is left. */
  anew: string;
}

/** The requester of a run, and the recipe that trains it. */
export interface Attended {
  /** The request of a person to which this attempt belongs: counters of failures start there. */
  generation: string;
  /** The server's attempt: an older one takes nothing over from a newer one. */
  turn: Turn | null;
  commands: Commands;
  pin: Pick<RecipePin, 'keep'>;
}

/** One training run: its images and settings. */
export interface TrainingRun extends Attended {
  pool: string;
  taxonomy: Taxonomy;
  taxonomyDigest: string;
  train: readonly IndexRow[];
  val: readonly IndexRow[];
  trainingSetDigest: string;
  config: TrainConfig;
  seed: number;
  /** Longest side in pixels of the grid on which validation counts, like the evaluation. */
  evaluationSize: number;
  list: TrainingList;
  /** Weights of an earlier run to start from; null if it starts from the backbone's. */
  warmStart: WarmStart | null;
  /** Whether the weights are published beside the exported networks, for a later run to start from. */
  publishWeights: boolean;
  /** Key of the lease and checkpoint pointer of this run. */
  chainKey: string;
  /**
   * Key of the same run without the replay that asked for it again, if that run never ended: its checkpoints are used.
   */
  unforcedChainKey: string | null;
  /** Key of the record of the images that all trainings on these images leave out. */
  leftOutKey: string;
  /** Share of the images that may be left out. */
  badImageShare: number;
  /** Images left out of `train` and `val`; filled when the images are fetched. */
  leftOut: { train: readonly LeftOut[]; val: readonly LeftOut[] };
  /** Distinguishes a run that leaves images out from one that does not; null if none is left out. */
  variant: string | null;
  /** Iteration after which the run is measured and ended; the last one if omitted. */
  stopAfter?: number;
}

/** A run whose trainer succeeded, before anything is published. */
export interface EndedRun {
  run: TrainingRun;
  attempt: Attempt;
  job: TrainerJob;
  /** The progress log, JSON lines. */
  log: string;
  /** The last reported loss. */
  loss: number | null;
  resumes: number;
  /** Checkpoints that could no longer be used. */
  lost: readonly LostCheckpoint[];
  /** Throws `fenced` if another attempt took over; call it before the first output is written. */
  confirm(): Promise<void>;
}
