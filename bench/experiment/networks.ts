import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { derivedSeed } from '../../domain/base/random.js';
import { evaluateStep } from '../../domain/evaluate/step.js';
import { digestOf } from '../../storage/digest.js';
import type { BenchImage } from '../detect/data.js';
import { type Judge, sha256, trainJudge } from '../detect/models.js';
import { evaluateNetwork, type Scores, scoresSchema } from './evaluate.js';
import type { ExperimentPool } from './pools.js';

export interface NetworkOptions {
  seed: number;
  iterations: number;
  /** For progress. */
  name: string;
  home: string;
  root: string;
  onTraining?: () => void;
  signal: AbortSignal;
  onProgress(text: string): void;
}

/**
 * Train a network on images with their given labels and score it on the test images. Equal seeds give equal initial
 * weights. Training and scores are found again by their digests.
 */
export async function scoredNetwork(
  pool: ExperimentPool,
  images: readonly BenchImage[],
  options: NetworkOptions,
): Promise<{ judge: Judge; scores: Scores }> {
  const { home, root, seed, name } = options;
  const set = { ...pool.set, validation: [] };
  const training = { ...options, seed: derivedSeed('experiment', seed), labelOf: pool.given, name };
  const judge = await trainJudge(set, images, training, home, root);
  options.signal.throwIfAborted();
  const tested = pool.test.map(({ imageId, clean }) => [imageId, sha256(clean)]);
  const test = digestOf([evaluateStep.version, tested]);
  const path = join(home, 'bench', 'experiment', 'scores', `${judge.id}-${test.slice(0, 16)}.json`);
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known !== null) return { judge, scores: scoresSchema.parse(JSON.parse(known)) };

  const scores = await evaluateNetwork(judge.scanPath, pool.test, pool.set.taxonomy, pool.set.imageSize);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, JSON.stringify(scores));
  await rename(`${path}.part`, path);
  return { judge, scores };
}
