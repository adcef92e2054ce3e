import { z } from 'zod';
import { foldResultSchema, type IterationContext, iterationContextSchema } from '../../domain/steps.js';
import type { FoldResult } from '../../domain/train/step.js';
import { digestOf } from '../../storage/digest.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openSealed, sealed } from '../../storage/seal.js';

/** The common input of all shards of a scan. */
export interface ScanSetup {
  context: IterationContext;
  planKey: string;
  folds: FoldResult[];
}

/** A shard by the key of its scan's setup. Older tasks have the setup itself. */
export type ShardInput = { setupKey: string; shard: number } | (ScanSetup & { shard: number });

const setupSchema = z.object({
  version: z.literal(1),
  context: iterationContextSchema,
  planKey: z.string(),
  folds: z.array(foldResultSchema),
});

/**
 * Keep a scan's setup beside its plan: a history with a few hundred shards then repeats only its key, not the setup.
 */
export async function writeScanSetup(store: ObjectStore, { context, planKey, folds }: ScanSetup): Promise<string> {
  const setup = { version: 1, context, planKey, folds };
  const folder = planKey.slice(0, planKey.lastIndexOf('/'));
  // The same plan may be judged again under other settings.
  const key = `${folder}/setups/${digestOf(setup).slice(0, 32)}.json`;
  await store.put(key, sealed(setup), 'application/json');
  return key;
}

export async function scanSetupOf(store: ObjectStore, asked: ShardInput): Promise<ScanSetup> {
  if ('context' in asked) return asked;
  const { body } = await store.get(asked.setupKey);
  return openSealed(body, asked.setupKey, setupSchema, {
    isSealed: () => true,
    hint: 'Retry the iteration, or resume the scan: it is written again, and judged shards are kept.',
  });
}
