import { availableParallelism } from 'node:os';
import { z } from 'zod';
import type { AuditNames } from '../../domain/audit/names.js';
import { type AuditPlan, LEARNING, planAudit } from '../../domain/audit/plan.js';
import { counted } from '../../domain/base/counted.js';
import { type ScanRequest, scanRequestSchema } from '../../domain/messages.js';
import { mergeSettings } from '../../domain/settings/settings.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { requestFrom } from '../options.js';
import { say } from '../terminal/output.js';
import { auditThreads, measurePace } from './auditPace.js';

const SECONDS = 60;
const LEAST_EVALUATION_SIZE = 64;
const CHECKPOINT_EVERY = 100;

const givenSchema = z.looseObject({ train: z.looseObject({ iterations: z.number().optional() }).default({}) });

/** What decides the scan of an audit. */
export interface AuditAsked {
  names: AuditNames;
  minutes: number;
  /** When the command began, by `performance.now()`. */
  startedAt: number;
  /** Longest side of the largest picture in pixels. */
  longestSide: number;
  /** Pictures may be mirrored in training. */
  mayFlip: boolean;
  /** Settings that the caller gave; they count more than the plan's. */
  settings: Record<string, unknown>;
  /** Folder of the local stack. */
  home: string;
}

/** The scan that fits the time that is left; nothing is measured if the number of iterations is given. */
export async function auditRequest(store: ObjectStore, pool: Pool, asked: AuditAsked): Promise<ScanRequest> {
  const { names, minutes, startedAt, longestSide, mayFlip, settings, home } = asked;
  const { train: given } = givenSchema.parse(settings);
  const index = await pool.readDrawColumns(await pool.latestVersion());
  const images = index.ids.count;
  const train = { threads: auditThreads(), checkpointEvery: CHECKPOINT_EVERY, augment: { flip: mayFlip } };
  const isGiven = given.iterations !== undefined;
  const pace = isGiven
    ? { seconds: 1, size: LEAST_EVALUATION_SIZE }
    : await measurePace(store, pool, { home, train: mergeSettings(train, given) });
  const seconds = minutes * SECONDS - (performance.now() - startedAt) / 1_000;
  const plan = planAudit({ images, longestSide, seconds, cores: availableParallelism(), pace });
  if (!isGiven) tellPlan(plan, images, minutes);
  const { folds, imageSize, iterations, batchSize } = plan;
  const planned = {
    evaluationSize: Math.max(LEAST_EVALUATION_SIZE, imageSize),
    train: { ...train, imageSize, iterations, batchSize },
  };
  return requestFrom(scanRequestSchema, {
    ...{ pool: names.pool, crossValidate: folds, split: 'all', seed: 1 },
    settings: mergeSettings(planned, settings),
  });
}

function tellPlan({ folds, imageSize, iterations, seconds, fits }: AuditPlan, images: number, minutes: number): void {
  const more = Math.ceil(seconds / SECONDS);
  say(
    `${counted(images, 'image', 'images')} to judge: ${counted(folds, 'fold', 'folds')}, each trained for ` +
      `${counted(iterations, 'iteration', 'iterations')} of ${LEARNING.batchSize} images at ${imageSize} pixels; ` +
      `${counted(more, 'more minute is', 'more minutes are')} expected`,
  );
  if (!fits)
    say(`warning: ${minutes} minutes are too short for so many images, so the folds learn little; raise --minutes`);
}
