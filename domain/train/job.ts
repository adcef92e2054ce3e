import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import type { TrainConfig } from '../config.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';

const path = z.string().startsWith('/');

/**
 * `job.json`, as partloop writes it: the trainer (`trainer/partloop_trainer/job.py`) knows more fields, all with
 * defaults, and refuses those that it does not know.
 */
export const trainerJobSchema = z.strictObject({
  version: z.literal(1),
  workDir: path,
  train: path,
  val: path.nullable(),
  classes: z.array(z.string()).min(2).max(255),
  mirrorPairs: z.array(z.tuple([z.number().int(), z.number().int()])),
  taxonomyDigest: sha256Schema,
  trainingSetDigest: sha256Schema,
  attempt: z.string(),
  seed: z.number().int().nonnegative(),
  threads: z.number().int().positive(),
  processes: z.number().int().nonnegative(),
  compile: z.enum(['auto', 'on', 'off']),
  model: z.strictObject({
    preset: z.string(),
    weights: z.string(),
    neck: z.enum(['auto', 'fpn', 'upernet']),
    stages: z.number().int().nonnegative().nullable(),
    freezeNorm: z.boolean(),
  }),
  image: z.strictObject({
    size: z.number().int().positive(),
    scheduleSizes: z.array(z.number().int().positive()),
    validationSize: z.number().int().positive(),
  }),
  optim: z.strictObject({
    name: z.enum(['adamw', 'adam']),
    iterations: z.number().int().positive(),
    batchSize: z.number().int().positive(),
    lrBackbone: z.number().positive(),
    lrHead: z.number().positive(),
    schedule: z.enum(['cyclic', 'poly', 'fixed']),
    cycles: z.number().int().positive(),
    mode: z.enum(['triangular', 'triangular2', 'exp_range']),
    ema: z.number(),
  }),
  loss: z.strictObject({
    name: z.enum(['ce', 'focal', 'dice', 'ce+dice', 'sum']),
    ceWeight: z.number(),
    focalWeight: z.number(),
    diceWeight: z.number(),
    classWeightExponent: z.number(),
  }),
  sampling: z.strictObject({ imageWeightExponent: z.number() }),
  augment: z.strictObject({
    angle: z.number(),
    crop: z.number(),
    flip: z.boolean(),
    brightness: z.number(),
    contrast: z.number(),
  }),
  checkpointEvery: z.number().int().positive(),
  progressEvery: z.number().int().positive(),
  keepCheckpoints: z.number().int().positive(),
  stopAfter: z.number().int().positive().nullable(),
  warmStart: path.nullable(),
  export: z.strictObject({ precision: z.enum(['float32', 'float16']) }),
});
export type TrainerJob = z.infer<typeof trainerJobSchema>;

/** Checkpoints kept, on disk and in the store alike. */
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
  /** Iteration after which the run is measured and left; null trains to the end. */
  stopAfter?: number | null;
}

/** The job of a training run: settings of the loop, classes and mirror pairs of the taxonomy, paths of this machine. */
export function trainerJob(parts: TrainerJobParts): TrainerJob {
  const { config } = parts;
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
    threads: config.threads,
    processes: config.processes,
    compile: config.compile,
    model: {
      preset: config.preset,
      weights: parts.weights,
      neck: config.neck,
      stages: config.stages,
      freezeNorm: config.freezeNorm,
    },
    image: { size: config.imageSize, scheduleSizes: config.imageSizes, validationSize: parts.validationSize },
    optim: {
      name: config.optimizer,
      iterations: config.iterations,
      batchSize: config.batchSize,
      lrBackbone: config.lrBackbone,
      lrHead: config.lrHead,
      schedule: config.schedule,
      cycles: config.cycles,
      mode: config.cycleMode,
      ema: config.ema,
    },
    loss: {
      name: config.loss,
      ceWeight: config.lossWeights.ce,
      focalWeight: config.lossWeights.focal,
      diceWeight: config.lossWeights.dice,
      classWeightExponent: config.classWeightExponent,
    },
    sampling: { imageWeightExponent: config.imageWeightExponent },
    augment: config.augment,
    checkpointEvery: config.checkpointEvery,
    progressEvery: Math.max(1, Math.min(10, config.checkpointEvery)),
    keepCheckpoints: KEPT_CHECKPOINTS,
    stopAfter: parts.stopAfter ?? null,
    warmStart: parts.warmStart ?? null,
    export: { precision: config.exportPrecision },
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
