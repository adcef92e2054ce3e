import { z } from 'zod';
import { unknownPart, withUnknown } from '../domain/base/recorded.js';
import {
  type BenchmarkRegistry,
  benchmarkRegistrySchema,
  EMPTY_REGISTRY,
  type Look,
  type RegisteredModel,
  withBenchmark,
  withLook,
} from '../domain/decide/decision.js';
import { type Signed, withGatePromotion, withPromotion, withRollback } from '../domain/decide/production.js';
import { outputOf } from '../domain/stepContract.js';
import { modelCardSchema } from '../domain/train/modelCard.js';
import type { TrainResult } from '../domain/train/step.js';
import { keys } from './keys.js';
import { compareAndSwap } from './objects/compareAndSwap.js';
import type { ObjectStore } from './objects/objectStore.js';
import { parseJson, readJson } from './tables/json.js';

const rawRegistrySchema = z.looseObject({ model: z.unknown().optional() });

/** The model in production for a taxonomy, with its history; empty if none was ever registered. */
export async function readRegistry(store: ObjectStore, taxonomyDigest: string): Promise<BenchmarkRegistry> {
  return (await read(store, taxonomyDigest)).registry;
}

/** Change the registry by conditional writes: the loser of a race applies its change to the newer state. */
export async function updateRegistry(
  store: ObjectStore,
  taxonomyDigest: string,
  change: (registry: BenchmarkRegistry) => BenchmarkRegistry,
): Promise<BenchmarkRegistry> {
  const { result } = await compareAndSwap(store, keys.benchmark(taxonomyDigest), {
    read: async () => {
      const { etag, ...value } = await read(store, taxonomyDigest);
      return { value, etag };
    },
    decide: ({ registry, unknown }) => {
      const changed = change(registry);
      const body = changed === registry ? null : JSON.stringify(withUnknown(unknown, changed), null, 1);
      return { body, result: changed };
    },
  });
  return result;
}

/** A person's change of the model in production. */
export interface ProductionChange {
  registry: BenchmarkRegistry;
  /** The model that was in production before; null if there was none. */
  before: RegisteredModel | null;
  /** False if it was in production already. */
  changed: boolean;
}

/** Put a model into production in a person's name; if it is there, nothing changes. */
export async function promoteModel(
  store: ObjectStore,
  taxonomyDigest: string,
  model: RegisteredModel,
  signed: Omit<Signed, 'at'>,
): Promise<ProductionChange> {
  return changeProduction(store, taxonomyDigest, (registry) => withPromotion(registry, model, now(signed)));
}

/**
 * Take the model `from` out of production again.
 *
 * @param to a model that led to it; the one before it if null
 * @throws PartloopError `refused` if another model than `from` is in production by now, or if there is none to go back
 * to
 */
export async function rollBackModel(
  store: ObjectStore,
  taxonomyDigest: string,
  way: { from: RegisteredModel; to: RegisteredModel | null },
  signed: Omit<Signed, 'at'>,
): Promise<ProductionChange> {
  return changeProduction(store, taxonomyDigest, (registry) => withRollback(registry, way, now(signed)));
}

const now = (signed: Omit<Signed, 'at'>): Signed => ({ ...signed, at: new Date().toISOString() });

async function changeProduction(
  store: ObjectStore,
  taxonomyDigest: string,
  change: (registry: BenchmarkRegistry) => BenchmarkRegistry,
): Promise<ProductionChange> {
  let found: BenchmarkRegistry = EMPTY_REGISTRY;
  const registry = await updateRegistry(store, taxonomyDigest, (current) => {
    found = current;
    return change(current);
  });
  return { registry, before: found.model, changed: registry !== found };
}

/**
 * Make a candidate the benchmark in place of the rival that the gate compared it with; a second time changes nothing,
 * also if a person rolled it back since.
 *
 * @throws PartloopError `store-conflict` if another model than the rival is in production by now
 */
export async function registerPromotion(
  store: ObjectStore,
  taxonomyDigest: string,
  compared: { candidate: RegisteredModel; rival: RegisteredModel | null },
  reason: string,
): Promise<BenchmarkRegistry> {
  const at = new Date().toISOString();
  return updateRegistry(store, taxonomyDigest, (registry) => withGatePromotion(registry, compared, { reason, at }));
}

/** Make `model` the benchmark; a second time changes nothing. */
export async function registerBenchmark(
  store: ObjectStore,
  taxonomyDigest: string,
  model: RegisteredModel,
  reason: string,
): Promise<BenchmarkRegistry> {
  return updateRegistry(store, taxonomyDigest, (registry) =>
    withBenchmark(registry, model, reason, new Date().toISOString()),
  );
}

/** Record a look at a test set; returns its number among those on its test version, counted from 1. */
export async function takeLook(store: ObjectStore, taxonomyDigest: string, look: Look): Promise<number> {
  const registry = await updateRegistry(store, taxonomyDigest, (current) => withLook(current, look).registry);
  return withLook(registry, look).number;
}

/** A training's model in the registry's form; `of` names the iteration that trained it. */
export async function trainedModel(
  store: ObjectStore,
  result: TrainResult,
  of: Pick<RegisteredModel, 'loop' | 'iteration'>,
): Promise<RegisteredModel> {
  const [scan, card] = [outputOf(result, 'scan'), outputOf(result, 'card')];
  const { files } = await readJson(store, card, modelCardSchema);
  return { scan, card, digest: files.scan, loop: of.loop, iteration: of.iteration };
}

async function read(
  store: ObjectStore,
  taxonomyDigest: string,
): Promise<{ registry: BenchmarkRegistry; etag: string | null; unknown: unknown }> {
  const key = keys.benchmark(taxonomyDigest);
  const object = await store.tryGet(key);
  if (object === null) return { registry: EMPTY_REGISTRY, etag: null, unknown: undefined };
  const registry = parseJson(object.body, key, benchmarkRegistrySchema);
  const { model: _, ...listed } = rawRegistrySchema.parse(parseJson(object.body, key, z.unknown()));
  // History and looks are only ever added to, so additional fields of their entries are matched by position; the model
  // is replaced.
  return { registry, etag: object.etag, unknown: unknownPart(benchmarkRegistrySchema, listed) };
}
