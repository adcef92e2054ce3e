import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { drawCounts } from '../draw/step.js';
import { fact, type ResultOf, type StepContract } from '../stepContract.js';

/** Step scan: the judge of each image, the findings, and the images that are set aside. */
export const scanStep = {
  step: 'scan',
  version: 9,
  inputs: z.strictObject({
    /** Keys of the rows of each shard. */
    planKey: z.array(z.string()),
    /** Digests of the models that judge. */
    models: z.array(z.string()),
    settings: z.record(z.string(), z.unknown()),
    failedShards: z.array(z.number().int()),
    /** Weight of the minor classes, if it is not the usual one. */
    minorWeight: z.number().optional(),
    /** Digest of the reviews that are taken into account, if there are any. */
    reviews: sha256Schema.optional(),
  }),
  outputs: z
    .object({
      /** Table: one row per drawn image. */
      images: z.string(),
      /** Table: one row per finding. */
      findings: z.string(),
      /** JSON: thresholds, calibration, counts by kind, warnings. */
      summary: z.string(),
      /** JSON: names of the reviews that were taken into account. */
      reviews: z.string().optional(),
    })
    // The models of cross-validation: `fold-0-scan` and `fold-0-card` and so on.
    .catchall(z.string()),
  facts: z.object({
    scanned: fact.count('images judged'),
    unreadable: fact.exception('unreadable'),
    unjudged: fact.exception('without a judge'),
    failed: fact.exception('in failed shards'),
    /** Images whose probability of a wrong label reaches `scan.quarantineAt`; caps may leave some of them in. */
    overThreshold: fact.count('images over the threshold'),
    quarantined: fact.count('images set aside'),
    findings: fact.count('findings'),
    errors: fact.exception('images that could not be judged'),
    folds: fact.count('models of cross-validation'),
    prevalence: fact.share('wrong labels, estimated'),
    failedShards: fact.exception('failed shards'),
    model: fact.text('judged by'),
    /** Of `scan.autoCorrect`; absent if it is off or nothing could follow. */
    asked: fact.exception('findings drawn for reviewers').optional(),
    correctable: fact.exception('proposals that their answers may correct').optional(),
    // Facts of its draw; older scans lack them.
    split: fact.text('side of the split').optional(),
    ...z.object(drawCounts).partial().shape,
  }),
} as const satisfies StepContract;
export type ScanResult = ResultOf<typeof scanStep>;

/** Part of step scan: the judge of each image. */
export const planPart = {
  step: 'plan',
  version: 1,
  inputs: z.strictObject({
    /** Digest of the draw. */
    draw: sha256Schema,
    /** Keys of the cards of the models that may judge, the best first. */
    judges: z.array(z.string()),
    folds: z.number().int(),
    shardSize: z.number().int(),
    crossValidateFrom: z.number().int(),
    seed: z.number().int(),
    iteration: z.number().int(),
  }),
  outputs: z.object({
    /** JSON: judges, folds and shards. */
    plan: z.string(),
  }),
  facts: z.object({ shards: fact.count('shards'), folds: fact.count('models of cross-validation') }),
} as const satisfies StepContract;
