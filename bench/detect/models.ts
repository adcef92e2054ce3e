import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { derivedSeed } from '../../domain/base/random.js';
import { type TrainConfig, trainConfigSchema } from '../../domain/config.js';
import type { ClassIouByName } from '../../domain/scan/index.js';
import { assignFolds } from '../../domain/scan/judge/folds.js';
import { trainerJob } from '../../domain/train/job.js';
import { digestOf } from '../../storage/digest.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { runTrainer, trainerPython } from '../../training/process/process.js';
import { trainerFailure } from '../../training/process/trainerEnd.js';
import { readResult } from '../../training/results.js';
import { type BenchImage, type BenchSet, givenLabel } from './data.js';

export const FOLDS = 2;

/** Canvas and length of a fold's training, by set. */
export const SETTINGS = {
  demo: { imageSize: 128, iterations: 800 },
  photos: { imageSize: 256, iterations: 400 },
  real: { imageSize: 256, iterations: 600 },
} as const;

/** The judge of the images of one fold. */
export interface Judge {
  /** Names the model in the reduce. */
  id: string;
  scanPath: string;
  /** Logits at stride 4; null for a model that came without. */
  logitsPath: string | null;
  classIou: ClassIouByName | null;
}

export interface Judged {
  folds: number[];
  judges: Judge[];
}

const cardSchema = z.object({ classIou: z.record(z.string(), z.number().nullable()), seconds: z.number() });

/** Settings of a fold's training: the demo's, but for the length and the doubt. */
export function foldConfig(imageSize: number, iterations: number, doubtBackground?: number): TrainConfig {
  return trainConfigSchema.parse({
    imageSize,
    iterations,
    doubtBackground,
    batchSize: 8,
    lrHead: 2e-3,
    threads: 2,
    classWeightExponent: 0.5,
    checkpointEvery: 100,
  });
}

export interface FoldOptions {
  seed: number;
  /** Training iterations of a fold. */
  iterations: number;
  /** Number of folds; `FOLDS` if omitted. */
  folds?: number;
  /** `train.doubtBackground` of the folds; its default if omitted. */
  doubt?: number | undefined;
  /** The label that a judge learns from; the one with planted errors if omitted. */
  labelOf?: (image: BenchImage) => Uint8Array;
  /** Called before a training that is not kept from an earlier run; may throw to leave it to a later one. */
  onTraining?: () => void;
  signal: AbortSignal;
  onProgress(text: string): void;
}

/** The judges of a set: the model of a file, else folds that are trained for it. */
export function judgedBy(
  model: string | undefined,
  set: BenchSet,
  home: string,
  root: string,
  options: FoldOptions,
): Promise<Judged> {
  return model === undefined ? crossValidate(set, home, root, options) : oneJudge(set, model);
}

/**
 * Out-of-fold judges of a set: one training per fold on the other folds' given labels, with vehicles and near
 * duplicates kept together. They are found again by the digest of their training input.
 */
export async function crossValidate(set: BenchSet, home: string, root: string, options: FoldOptions): Promise<Judged> {
  const count = options.folds ?? FOLDS;
  const folds = assignFolds(set.images, count, 'bench', options.seed);
  const judges: Judge[] = [];
  for (let fold = 0; fold < count; fold++) {
    const train = set.images.filter((_, index) => folds[index] !== fold);
    judges.push(await foldJudge(set, train, fold, home, root, options));
  }
  return { folds, judges };
}

/** A model that has seen none of the images judges all of them. */
async function oneJudge(set: BenchSet, path: string): Promise<Judged> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new PartloopError('not-found', `--model ${path} cannot be read`, { cause });
  });
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 24);
  const judge = { id, scanPath: path, logitsPath: null, classIou: null };
  return { folds: set.images.map(() => 0), judges: [judge] };
}

function foldJudge(
  set: BenchSet,
  train: readonly BenchImage[],
  fold: number,
  home: string,
  root: string,
  options: FoldOptions,
): Promise<Judge> {
  const seed = derivedSeed('bench', options.seed, fold);
  return trainJudge(set, train, { ...options, seed, name: `seed ${options.seed} fold ${fold}` }, home, root);
}

/**
 * A network that learns from `train` and is validated on the set's validation images. It is found again by the digest
 * of its training input.
 */
export async function trainJudge(
  set: BenchSet,
  train: readonly BenchImage[],
  options: Omit<FoldOptions, 'folds'> & { name: string },
  home: string,
  root: string,
): Promise<Judge> {
  const { seed, name } = options;
  const config = foldConfig(set.imageSize, options.iterations, options.doubt);
  const labelOf = options.labelOf ?? givenLabel;
  const listed = (images: readonly BenchImage[], of: (image: BenchImage) => Uint8Array) =>
    images.map((image) => [image.imageId, sha256(of(image))]);
  const listDigest = digestOf([listed(train, labelOf), listed(set.validation, right)]);
  const digest = digestOf({ listDigest, config, seed, taxonomy: set.taxonomy });
  const folder = join(home, 'bench', 'models', digest.slice(0, 24));
  const judge = async (): Promise<Judge> => ({
    id: digest.slice(0, 24),
    scanPath: join(folder, 'scan.onnx'),
    logitsPath: join(folder, 'model.onnx'),
    classIou: cardSchema.parse(JSON.parse(await readFile(join(folder, 'card.json'), 'utf8'))).classIou,
  });
  if (await exists(join(folder, 'card.json'))) return judge();

  options.onTraining?.();
  const work = `${folder}.work`;
  await mkdir(join(work, 'data'), { recursive: true });
  const job = trainerJob({
    config,
    taxonomy: set.taxonomy,
    taxonomyDigest: digestOf(set.taxonomy),
    trainingSetDigest: listDigest,
    seed,
    validationSize: config.imageSize,
    attempt: 'bench',
    workDir: work,
    train: (await writeList(work, 'train.jsonl', train, labelOf)) ?? '',
    val: await writeList(work, 'val.jsonl', set.validation, right),
    weights: config.weights,
  });
  await writeFile(join(work, 'job.json'), JSON.stringify(job, null, 1));
  const end = await runTrainer({
    python: await trainerPython(root),
    packageRoot: join(root, 'trainer'),
    job: join(work, 'job.json'),
    cwd: work,
    network: false,
    stallMs: 30 * 60_000,
    graceMs: 60_000,
    signal: options.signal,
    onMessage: (message) => {
      if (message.type === 'progress' && message.iteration % 50 === 0)
        options.onProgress(
          `${set.name} ${name}: ${message.iteration} of ${config.iterations}, about ${Math.round(message.etaSeconds)} s left`,
        );
    },
  });
  options.signal.throwIfAborted();
  const failure = trainerFailure(end);
  if (failure !== null) throw failure;
  const result = await readResult(work);
  const { background: _, ...classIou } = result.perClassIou;
  await mkdir(folder, { recursive: true });
  for (const file of ['scan.onnx', 'model.onnx']) await rename(join(work, file), join(folder, file));
  await writeFile(join(folder, 'card.json'), JSON.stringify({ classIou, seconds: result.seconds }));
  await rm(work, { recursive: true, force: true });
  return judge();
}

const right = ({ clean }: BenchImage): Uint8Array => clean;

/** Pictures and labels with a list of them, as the trainer reads them; its path, or null without images. */
async function writeList(
  work: string,
  name: string,
  images: readonly BenchImage[],
  labelOf: (image: BenchImage) => Uint8Array,
): Promise<string | null> {
  if (images.length === 0) return null;
  const lines = await Promise.all(
    images.map(async (image) => {
      const picture = join(work, 'data', `${image.imageId}.jpg`);
      const label = join(work, 'data', `${image.imageId}.png`);
      await writeFile(picture, image.bytes);
      await writeFile(label, await encodeLabel(labelOf(image), image.width, image.height));
      return JSON.stringify({ imageId: image.imageId, image: picture, label });
    }),
  );
  await writeFile(join(work, name), `${lines.join('\n')}\n`);
  return join(work, name);
}

/** Digest of a file or label as hex digits. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
