import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { trainConfigSchema } from '../../domain/config.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { trainerJob } from '../../domain/train/job.js';
import { ROOT } from '../../infra/home.js';
import { digestOf } from '../../storage/digest.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { runTrainer, trainerPython } from '../../training/process/process.js';
import { trainerFailure } from '../../training/process/trainerEnd.js';
import { readPhotos } from './photos.js';

const TRAINING = { size: 128, iterations: 200, images: 200 };

/** The CPU preset, trained for a minute so that it predicts parts rather than noise, and exported at `size` pixels. */
export async function benchModel(
  home: string,
  photos: string,
  size: number,
): Promise<{ scanPath: string; logitsPath: string }> {
  const folder = join(home, 'bench', 'scan-model');
  const weights = join(folder, 'weights.pt');
  const own = join(folder, String(size));
  if (!existsSync(weights)) {
    await train(folder, photos, { size: TRAINING.size, iterations: TRAINING.iterations, batchSize: 8 }, null);
  }
  // One step at a zero rate: the same weights, exported for another canvas.
  if (!existsSync(join(own, 'scan.onnx')))
    await train(own, photos, { size, iterations: 1, batchSize: 1, rate: 1e-12 }, weights);
  return { scanPath: join(own, 'scan.onnx'), logitsPath: join(own, 'model.onnx') };
}

async function train(
  folder: string,
  photos: string,
  { size, iterations, batchSize, rate }: { size: number; iterations: number; batchSize: number; rate?: number },
  warmStart: string | null,
): Promise<void> {
  const work = `${folder}.work`;
  await mkdir(join(work, 'data'), { recursive: true });
  const lines: string[] = [];
  for await (const item of readPhotos(photos)) {
    if (item.image.kind !== 'bytes' || lines.length === TRAINING.images) continue;
    const bytes = await item.image.read();
    const { width, height } = await sharp(bytes).metadata();
    const image = join(work, 'data', `${lines.length}.jpg`);
    const label = join(work, 'data', `${lines.length}.png`);
    await writeFile(image, bytes);
    await writeFile(label, await encodeLabel((await item.label({ width, height })).pixels, width, height));
    lines.push(JSON.stringify({ imageId: String(lines.length), image, label }));
  }
  await writeFile(join(work, 'train.jsonl'), `${lines.join('\n')}\n`);
  const job = trainerJob({
    config: trainConfigSchema.parse({
      imageSize: size,
      iterations,
      batchSize,
      ...(rate === undefined ? { lrHead: 2e-3 } : { lrHead: rate, lrBackbone: rate }),
    }),
    taxonomy: dsmlr18,
    taxonomyDigest: digestOf(dsmlr18),
    trainingSetDigest: digestOf(lines),
    seed: 1,
    validationSize: size,
    attempt: 'bench',
    workDir: work,
    train: join(work, 'train.jsonl'),
    val: null,
    weights: 'package',
  });
  const path = join(work, 'job.json');
  await writeFile(path, JSON.stringify({ ...job, ...(warmStart === null ? {} : { warmStart }) }));
  const failure = trainerFailure(
    await runTrainer({
      python: await trainerPython(ROOT),
      packageRoot: join(ROOT, 'trainer'),
      job: path,
      cwd: work,
      network: false,
      stallMs: 10 * 60_000,
      graceMs: 60_000,
      signal: new AbortController().signal,
      onMessage: () => {},
    }),
  );
  if (failure !== null) throw failure;
  await mkdir(folder, { recursive: true });
  for (const file of ['weights.pt', 'model.onnx', 'scan.onnx']) await rename(join(work, file), join(folder, file));
  await rm(work, { recursive: true, force: true });
}
