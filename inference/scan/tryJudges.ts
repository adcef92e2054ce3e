import { z } from 'zod';
import { scanPlanSchema } from '../../domain/scan/judge/plan.js';
import { chunkRowSchema } from '../../domain/tables.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { withHeartbeat } from '../../steps/heartbeat.js';
import { poolOf } from '../../steps/pool.js';
import { openSealed, sealed } from '../../storage/seal.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable } from '../../storage/tables/table.js';
import { tryModel } from '../judge/modelTrial.js';
import { fetchModel } from '../modelFile.js';
import { judgeOf } from './judges.js';
import { type ScanSetup, writeScanSetup } from './scanSetup.js';

const trialSchema = z.object({ version: z.literal(1), warnings: z.array(z.string()) });

const trialKey = (planKey: string): string => `${planKey.slice(0, planKey.lastIndexOf('/'))}/judges.json`;

/**
 * Try every judge of a plan on pictures that it is going to judge, before any is judged. Warnings are kept beside the
 * plan for the scan's summary, and so is the common input of all shards.
 *
 * @throws PartloopError `model-invalid` if a judge cannot be used
 */
export async function tryJudges(
  deps: ActivityDeps,
  { context, planKey, folds }: ScanSetup,
): Promise<{ warnings: string[]; setupKey: string }> {
  const { store, home } = deps;
  const { scan, durability } = context.config;
  return withHeartbeat(async ({ signal }) => {
    const plan = await readJson(store, planKey, scanPlanSchema);
    const { taxonomy } = await poolOf(deps, context.config.pool);
    const warnings: string[] = [];
    for (const judge of new Set(plan.shards.map((shard) => shard.judge))) {
      const { scanKey, card } = await judgeOf(store, plan, judge, folds);
      const modelPath = await fetchModel(store, scanKey, card.files.scan, home);
      const [first] = plan.shards.filter((shard) => shard.judge === judge);
      const rows = first === undefined ? [] : await readTable(store, first.rows, chunkRowSchema);
      const setup = { modelPath, name: scanKey, threads: scan.threadsPerSession, provider: scan.provider, taxonomy };
      const stallMs = 1_000 * durability.inferenceStallSeconds;
      warnings.push(...(await tryModel({ store, rows, setup, stallMs, signal })));
    }
    await store.put(trialKey(planKey), sealed({ version: 1, warnings }), 'application/json');
    return { warnings, setupKey: await writeScanSetup(store, { context, planKey, folds }) };
  });
}

/** The results of a trial of the judges; nothing if there was none, as in older scans. */
export async function trialWarnings(store: ActivityDeps['store'], planKey: string): Promise<string[]> {
  const key = trialKey(planKey);
  const object = await store.tryGet(key);
  return object === null ? [] : openSealed(object.body, key, trialSchema, { isSealed: () => false }).warnings;
}
