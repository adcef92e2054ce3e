import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { parseTaxonomy, type Taxonomy } from '../../domain/taxonomy.js';
import { keys } from '../keys.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { parseJson } from '../tables/json.js';
import { openPoolIndex, type PoolIndex } from './poolIndex.js';

/** A pool of labelled images: an append-only index of immutable segments under numbered versions. */
export interface Pool extends PoolIndex {
  name: string;
  taxonomy: Taxonomy;
  /** The content of `defaults.json`, unchecked: settings of loops over this pool; its text if it is not JSON. */
  defaults: unknown;
}

export interface PoolOptions {
  /** Folder for copies of segments, so that the index is not fetched again for every step. */
  cacheFolder?: string;
}

/** @throws PartloopError `not-found` listing the existing pools */
export async function openPool(store: ObjectStore, name: string, options: PoolOptions = {}): Promise<Pool> {
  const object = await store.tryGet(keys.taxonomy(name));
  if (object === null) {
    const pools = await listPools(store);
    const there = pools.length === 0 ? 'there is none yet' : `pools: ${pools.join(', ')}`;
    throw new PartloopError('not-found', `there is no pool \`${name}\`; ${there}`, {
      hint: 'Make one with `partloop import`.',
    });
  }
  const taxonomy = parseTaxonomy(parseJson(object.body, keys.taxonomy(name), z.unknown()), keys.taxonomy(name));
  const found = await store.tryGet(keys.poolDefaults(name));
  const defaults = found === null ? {} : jsonOrText(found.body);

  return { name, taxonomy, defaults, ...openPoolIndex(store, name, options.cacheFolder) };
}

/** Names of all pools, sorted. */
export async function listPools(store: ObjectStore): Promise<string[]> {
  const pools: string[] = [];
  for await (const name of store.folders('pools/'))
    if ((await store.head(keys.taxonomy(name))) !== null) pools.push(name);
  return pools.sort();
}

/** A person may have edited the file: its faults concern users of the settings, not every reader of the pool. */
function jsonOrText(body: Uint8Array): unknown {
  const text = new TextDecoder().decode(body);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
