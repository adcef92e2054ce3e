import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type AuditFacts, LEARNING } from '../../domain/audit/plan.js';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { trainConfigSchema } from '../../domain/config.js';
import { mergeSettings } from '../../domain/settings/settings.js';
import { ROOT } from '../../infra/home.js';
import { drawImages } from '../../pool/drawImages.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { findLearningRate } from '../../training/settings/lrRange.js';
import { stoppable } from '../terminal/interrupt.js';
import { say } from '../terminal/output.js';

const SIZE = 192;
const IMAGES = 24;
/** The first steps warm up, and the last ones may diverge. */
const STEPS = 7;
const WARM_UP = 2;
/** On two cores, if it cannot be measured: docs/results/training.md. */
const USUAL_SECONDS = 0.6;
const MAX_THREADS = 8;

/** Threads of a trainer: more gain little with batches this small. */
export const auditThreads = (): number => Math.min(MAX_THREADS, availableParallelism());

/**
 * The seconds of a training step on this machine, by a few steps that are thrown away.
 *
 * @param train settings of `train` that the scan will have
 */
export async function measurePace(
  store: ObjectStore,
  pool: Pool,
  { home, train }: { home: string; train: unknown },
): Promise<AuditFacts['pace']> {
  say('Measuring how fast this machine trains …');
  const config = trainConfigSchema.parse(
    mergeSettings(train, { imageSize: SIZE, batchSize: LEARNING.batchSize, threads: auditThreads() }),
  );
  const drawing = { drawnBefore: new Set<string>(), chunkSize: IMAGES, seed: 1, iteration: 0 };
  const times: number[] = [];
  try {
    const { rows } = await drawImages(pool, await pool.latestVersion(), drawing, { store });
    await stoppable(
      () => ['Stopped before the scan began. Run the same command again to go on.'],
      (signal) =>
        findLearningRate({
          ...{ store, pool: pool.name, home: resolve(home), root: ROOT, rows, taxonomy: pool.taxonomy, config },
          ...{ badImageShare: 1, iterations: STEPS, seed: 1, signal },
          onProgress: () => undefined,
          onStep: () => times.push(performance.now()),
        }),
    );
  } catch (error) {
    if (!(error instanceof PartloopError) || times.length <= WARM_UP + 1) throw error;
  }
  const seconds = medianStep(times);
  if (seconds === null) {
    say(`It cannot be measured: ${counted(times.length, 'step', 'steps')} ended. A machine with two cores is assumed.`);
    return { seconds: USUAL_SECONDS, size: SIZE };
  }
  say(`${seconds.toFixed(2)} s a step of ${LEARNING.batchSize} images at ${SIZE} pixels`);
  return { seconds, size: SIZE };
}

/** Seconds between steps at their median, from the times in milliseconds at which they ended; null for too few. */
export function medianStep(times: readonly number[]): number | null {
  const steps = times.slice(1).map((at, index) => (at - (times[index] as number)) / 1_000);
  const warm = steps.slice(WARM_UP - 1).sort((a, b) => a - b);
  return warm[Math.floor(warm.length / 2)] ?? null;
}
