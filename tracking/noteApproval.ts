import type { LoopConfig } from '../domain/config.js';
import type { BenchmarkRegistry } from '../domain/decide/decision.js';
import { digestOfTaxonomy } from '../storage/digest.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { openPool } from '../storage/pool/pool.js';
import { trackModels } from './track.js';

/**
 * Tell MLflow which model is in production, where the loop's settings ask for it. The approval stands whether MLflow
 * hears of it or not: the next iteration notes it too.
 *
 * @returns why it was not told; null if it was, or if tracking is off
 */
export async function noteApproval(
  store: ObjectStore,
  config: LoopConfig,
  registry: BenchmarkRegistry,
): Promise<string | null> {
  if (!config.tracking.mlflow.enabled) return null;
  try {
    const { taxonomy } = await openPool(store, config.pool);
    const models = { taxonomy: { name: taxonomy.name, digest: digestOfTaxonomy(taxonomy) }, candidate: null, registry };
    return await trackModels({ config, storeUri: store.uri, environment: process.env }, null, models);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
