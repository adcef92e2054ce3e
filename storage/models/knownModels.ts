import { PartloopError } from '../../domain/base/errors.js';
import {
  type BenchmarkRegistry,
  EMPTY_REGISTRY,
  type ProductionEntry,
  type RegisteredModel,
  sameModel,
} from '../../domain/decide/decision.js';
import { modelName, type Named } from '../../domain/decide/modelName.js';
import type { IterationAttempt, LoopState } from '../../domain/loop/state.js';
import { TAXONOMIES } from '../../domain/taxonomies/index.js';
import { type ModelCard, modelCardSchema } from '../../domain/train/modelCard.js';
import { digestOfTaxonomy } from '../digest.js';
import { keys } from '../keys.js';
import { listLoops, readLoopState } from '../loopState.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { forEachLimited } from '../parallel.js';
import { listPools, openPool } from '../pool/pool.js';
import { readRegistry } from '../registry.js';
import { readJson } from '../tables/json.js';

const IN_PARALLEL = 16;

/** A model that a loop trained, or that is or was in production. */
export interface KnownModel extends Named {
  /** `cars:3`, `cars:3@1`, `cars:baseline`. */
  name: string;
  model: RegisteredModel;
  /** null if it is gone. */
  card: ModelCard | null;
  /** The attempt that made it, with its results; null for a baseline, and if the loop's record is gone. */
  attempt: IterationAttempt | null;
  /** Each time that it came into production, oldest first. */
  production: ProductionEntry[];
  isInProduction: boolean;
}

/** The models of one taxonomy. */
export interface TaxonomyModels {
  /** Digest of the taxonomy. */
  digest: string;
  /** Its name; null if no pool has it and it is none of ours. */
  name: string | null;
  pools: string[];
  registry: BenchmarkRegistry;
  /** The newest first. */
  models: KnownModel[];
}

/** All models of a store, and records of which they could not be read. */
export interface Catalogue {
  taxonomies: TaxonomyModels[];
  unreadable: { of: string; why: string }[];
}

/**
 * The models that the store knows, by taxonomy, with those that are in no loop's record any more but in a history.
 *
 * @param loop read the record of this loop alone
 */
export async function readCatalogue(store: ObjectStore, loop?: string): Promise<Catalogue> {
  const unreadable: Catalogue['unreadable'] = [];
  const readable = async (of: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof PartloopError) || (error.code !== 'data-invalid' && error.code !== 'not-found'))
        throw error;
      unreadable.push({ of, why: error.message });
    }
  };
  const taxonomies = new Map<string, TaxonomyModels>();
  for (const own of await namedTaxonomies(store, readable)) taxonomies.set(own.digest, own);
  for await (const digest of store.folders(keys.registryPrefix)) {
    const entry = taxonomies.get(digest) ?? emptyTaxonomy(digest, null);
    taxonomies.set(digest, entry);
    await readable(keys.benchmark(digest), async () => {
      entry.registry = await readRegistry(store, digest);
    });
  }
  const loops = loop === undefined ? await listLoops(store) : [loop];
  const trained: Trained[] = [];
  for (const name of loops)
    await readable(`loop ${name}`, async () => void trained.push(...trainedBy(await readLoopState(store, name))));
  await forEachLimited(trained, IN_PARALLEL, (one) =>
    readable(one.card, async () => {
      const card = await readJson(store, one.card, modelCardSchema);
      const entry = taxonomies.get(card.taxonomyDigest) ?? emptyTaxonomy(card.taxonomyDigest, null);
      taxonomies.set(card.taxonomyDigest, entry);
      addTrained(entry, one, card);
    }),
  );
  for (const entry of taxonomies.values()) await addFormer(store, entry);
  const known = [...taxonomies.values()].filter(({ pools, models }) => pools.length + models.length > 0);
  return { taxonomies: known.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)), unreadable };
}

const nameOf = ({ name, digest }: TaxonomyModels): string => `${name ?? '~'} ${digest}`;

const emptyTaxonomy = (digest: string, name: string | null): TaxonomyModels => ({
  ...{ digest, name, pools: [], registry: EMPTY_REGISTRY, models: [] },
});

/** The built-in taxonomies, and those of pools with their pools. */
async function namedTaxonomies(
  store: ObjectStore,
  readable: (of: string, work: () => Promise<void>) => Promise<void>,
): Promise<TaxonomyModels[]> {
  const found = new Map<string, TaxonomyModels>();
  for (const taxonomy of Object.values(TAXONOMIES)) {
    const digest = digestOfTaxonomy(taxonomy);
    found.set(digest, emptyTaxonomy(digest, taxonomy.name));
  }
  for (const pool of await listPools(store))
    await readable(`pool ${pool}`, async () => {
      const { taxonomy } = await openPool(store, pool);
      const digest = digestOfTaxonomy(taxonomy);
      const entry = found.get(digest) ?? emptyTaxonomy(digest, taxonomy.name);
      entry.pools.push(pool);
      found.set(digest, entry);
    });
  return [...found.values()];
}

/** One training of an iteration: its files, and the attempts that have it as their result. */
interface Trained {
  scan: string;
  card: string;
  loop: string;
  iteration: number;
  attempt: IterationAttempt;
  /** Its number among the attempts, counted from 1, the oldest first. */
  number: number;
  isCurrent: boolean;
}

/** The trainings in a loop's record; attempts that kept a training have it too. */
function trainedBy({ loop, iterations }: LoopState): Trained[] {
  return iterations.flatMap(({ iteration, current, others }) =>
    [...others, current]
      .toSorted((a, b) => (a.recordedAt < b.recordedAt ? -1 : 1))
      .flatMap((attempt, index): Trained[] => {
        const { scan, card } = attempt.results.train?.outputs ?? {};
        if (scan === undefined || card === undefined) return [];
        return [{ scan, card, loop, iteration, attempt, number: index + 1, isCurrent: attempt === current }];
      }),
  );
}

function addTrained(entry: TaxonomyModels, one: Trained, card: ModelCard): void {
  const { loop, iteration, scan, attempt, number, isCurrent } = one;
  const model: RegisteredModel = { scan, card: one.card, digest: card.files.scan, loop, iteration };
  const known = entry.models.find((other) => sameModel(other.model, model));
  const isNewer = known === undefined || isCurrent || (!known.isCurrent && number > Math.max(...known.attempts));
  const merged: KnownModel = {
    ...(known !== undefined && !isNewer ? known : { model, card, attempt }),
    ...{ name: '', production: [], isInProduction: false },
    attempts: [...(known?.attempts ?? []), number].sort((a, b) => a - b),
    isCurrent: isCurrent || known?.isCurrent === true,
  };
  entry.models = [...entry.models.filter((other) => other !== known), merged];
}

/** Add what only the history knows, name all models, and say of each when it came into production. */
async function addFormer(store: ObjectStore, entry: TaxonomyModels): Promise<void> {
  const { registry } = entry;
  for (const { model } of registry.history.toReversed()) {
    if (entry.models.some((known) => sameModel(known.model, model))) continue;
    const card = await readJson(store, model.card, modelCardSchema).catch((error: unknown) => {
      if (error instanceof PartloopError && (error.code === 'not-found' || error.code === 'data-invalid')) return null;
      throw error;
    });
    const isCurrent = !entry.models.some(
      (known) => known.isCurrent && known.model.loop === model.loop && known.model.iteration === model.iteration,
    );
    const unrecorded = { attempts: [], attempt: null, production: [], name: '', isInProduction: false };
    entry.models.push({ ...unrecorded, model, card, isCurrent });
  }
  entry.models = entry.models
    .map((known) => ({
      ...known,
      name: modelName(known),
      production: registry.history.filter(({ model }) => sameModel(model, known.model)),
      isInProduction: registry.model !== null && sameModel(registry.model, known.model),
    }))
    .sort((a, b) => (bornAt(a) < bornAt(b) ? 1 : bornAt(a) > bornAt(b) ? -1 : a.name < b.name ? -1 : 1));
}

const bornAt = ({ attempt, production }: KnownModel): string => attempt?.recordedAt ?? production[0]?.at ?? '';
