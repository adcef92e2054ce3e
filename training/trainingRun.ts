import type { TrainConfig } from '../domain/config.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import type { IndexRow } from '../domain/tables.js';
import type { Taxonomy } from '../domain/taxonomy.js';
import type { TrainerJob } from '../domain/train/job.js';
import type { TrainingList } from '../domain/train/modelCard.js';
import type { Attempt } from '../steps/runStep.js';
import type { LostCheckpoint, Turn } from './checkpoints/chainState.js';
import type { RecipePin } from './recipe.js';
import type { WarmStart } from './warmStart.js';

/** What a person can do about a training that stands still: commands, or ways in the Temporal UI, in words. */
export interface Commands {
  /** Tries again, from the newest checkpoint. */
  retry: string;
  /** Trains anew where nothing can be gone on from. */
  anew: string;
}

/** Who asks for a run, and which recipe trains it. */
export interface Attended {
  /** Which request of a person this attempt belongs to: what counts failures counts from there. */
  generation: string;
  /** Which try of the server: an older one takes nothing over from a newer one. */
  turn: Turn | null;
  commands: Commands;
  pin: Pick<RecipePin, 'keep'>;
}

/** One training run: what is trained on, with which settings. */
export interface TrainingRun extends Attended {
  pool: string;
  taxonomy: Taxonomy;
  taxonomyDigest: string;
  train: readonly IndexRow[];
  val: readonly IndexRow[];
  trainingSetDigest: string;
  config: TrainConfig;
  seed: number;
  /** Longest side in pixels of the grid that validation counts on, as the evaluation does. */
  evaluationSize: number;
  list: TrainingList;
  /** Weights of an earlier run to start from; null where it starts from the backbone's. */
  warmStart: WarmStart | null;
  /** Whether the weights are published beside the exported networks, for a later run to start from. */
  publishWeights: boolean;
  /** Key of the lease and checkpoint pointer of this run. */
  chainKey: string;
  /**
   * That of the same run without the replay that asked for it anew, where that run never ended: its checkpoints are
   * used.
   */
  unforcedChainKey: string | null;
  /** Key of the record of what all trainings on these images leave out. */
  leftOutKey: string;
  /** Share of the images that may be left out. */
  badImageShare: number;
  /** What `train` and `val` are without; filled when the images are fetched. */
  leftOut: { train: readonly LeftOut[]; val: readonly LeftOut[] };
  /** Tells a run that leaves images out from the one that does not; null where none is left out. */
  variant: string | null;
  /** Iteration after which the run is measured and left; to the end where left out. */
  stopAfter?: number;
}

/** A run whose trainer ended well, before anything of it is published. */
export interface EndedRun {
  run: TrainingRun;
  attempt: Attempt;
  job: TrainerJob;
  /** The progress log, JSON lines. */
  log: string;
  /** The last loss that was reported. */
  loss: number | null;
  resumes: number;
  /** Checkpoints that could not be used any more. */
  lost: readonly LostCheckpoint[];
  /** Throws `fenced` where another attempt took over: to be asked before the first output is written. */
  confirm(): Promise<void>;
}
