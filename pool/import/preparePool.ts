import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { poolDefaults } from '../../domain/config.js';
import { parseTaxonomy, type Taxonomy, unmirroredSides } from '../../domain/taxonomy.js';
import type { ImportNotice } from '../../formats/reading/importItem.js';
import { digestOf, digestOfTaxonomy } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool, type Pool } from '../../storage/pool/pool.js';
import { parseJson } from '../../storage/tables/json.js';

/**
 * The pool of an import: an existing one, or one made with its first rows, so that an import without images leaves
 * nothing.
 */
export interface PreparedPool {
  /** null until it is made. */
  pool: Pool | null;
  /** The pool, made if it did not exist. */
  make(): Promise<Pool>;
  notices: ImportNotice[];
}

/** @throws PartloopError `config-invalid` if the pool has other classes, naming them */
export async function preparePool(store: ObjectStore, name: string, taxonomy: Taxonomy): Promise<PreparedPool> {
  const key = keys.taxonomy(name);
  const there = await store.tryGet(key);
  const notices = mirrorNotices(taxonomy);
  await refuseHalfDeleted(store, name);
  if (there !== null) {
    const pool = await openPool(store, name);
    if ((await pool.latestVersion()) > 0) {
      refuseOtherClasses(name, pool.taxonomy, taxonomy);
      return { pool, make: async () => pool, notices: [...notices, ...ruleNotices(name, pool.taxonomy, taxonomy)] };
    }
  }
  const make = async (): Promise<Pool> => {
    await refuseHalfDeleted(store, name);
    // A pool without images does not fix the taxonomy that somebody once tried.
    const written = await store.replace(key, JSON.stringify(taxonomy, null, 1), there?.etag ?? null);
    const pool = await openPool(store, name);
    if (written === 'conflict') refuseOtherClasses(name, pool.taxonomy, taxonomy);
    return pool;
  };
  return { pool: null, make, notices };
}

/** The rest of a deleted pool (rows, reviews, settings) would become part of the new one. */
async function refuseHalfDeleted(store: ObjectStore, name: string): Promise<void> {
  if (!(await isHalfDeleted(store, name))) return;
  throw new PartloopError('input-invalid', `pool \`${name}\` is being deleted, and part of it still exists`, {
    hint: `\`partloop pool delete ${name} --confirm ${name}\` goes on with it; then the name is free.`,
  });
}

async function isHalfDeleted(store: ObjectStore, name: string): Promise<boolean> {
  if ((await store.head(keys.poolDeletion(name))) !== null) return true;
  if ((await store.head(keys.taxonomy(name))) !== null) return false;
  for await (const _ of store.list(keys.catalogPrefix(name))) return true;
  return false;
}

function refuseOtherClasses(name: string, its: Taxonomy, mine: Taxonomy): void {
  const here = mine.classes.map((entry) => entry.name);
  const there = its.classes.map((entry) => entry.name);
  if (JSON.stringify(here) === JSON.stringify(there)) return;
  const extra = here.filter((entry) => !there.includes(entry));
  const lacking = there.filter((entry) => !here.includes(entry));
  const differs =
    extra.length + lacking.length === 0
      ? 'the same classes in another order'
      : `only here ${extra.join(', ') || 'nothing'}; only there ${lacking.join(', ') || 'nothing'}`;
  throw new PartloopError('config-invalid', `pool \`${name}\` has taxonomy ${its.name}, not ${mine.name}: ${differs}`, {
    hint: 'Import under another pool name, or with the taxonomy of the pool.',
  });
}

/** Differing rules of the classes: those of the pool count, since its models and scans rest on them. */
function ruleNotices(name: string, its: Taxonomy, mine: Taxonomy): ImportNotice[] {
  const differing = mine.classes.filter((entry, index) => JSON.stringify(entry) !== JSON.stringify(its.classes[index]));
  if (differing.length === 0) return [];
  return [
    {
      notice: `classes with other rules in this taxonomy than in pool ${name}; the pool's rules count until \`partloop pool rules ${name} FILE\` changes them`,
      count: differing.length,
      examples: differing.map((entry) => `${entry.name} (${differingFields(entry, its)})`).slice(0, 5),
    },
  ];
}

function differingFields(entry: Taxonomy['classes'][number], its: Taxonomy): string {
  const other = its.classes.find((one) => one.name === entry.name);
  return Object.entries(entry)
    .filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(other?.[field as keyof typeof other]))
    .map(([field]) => field)
    .join(', ');
}

function mirrorNotices(taxonomy: Taxonomy): ImportNotice[] {
  const names = unmirroredSides(taxonomy);
  if (names.length === 0) return [];
  return [
    {
      notice:
        'classes named after a side have no `mirror` in the taxonomy: training flips pictures, and would call the left one right',
      count: names.length,
      examples: names.slice(0, 5),
    },
  ];
}

/** Settings that fit the pool's size when its first training images come in; a person may edit them afterwards. */
export async function chooseDefaults(store: ObjectStore, name: string, trainingImages: number): Promise<void> {
  if (trainingImages === 0) return;
  const defaults = JSON.stringify(poolDefaults(trainingImages), null, 1);
  await store.putIfAbsent(keys.poolDefaults(name), defaults, 'application/json');
}

/**
 * Give a pool the rules of another taxonomy with the same classes: mirror pairs, neighbours, angles and the rest.
 *
 * @throws PartloopError `config-invalid` for other classes
 */
export async function changeRules(store: ObjectStore, name: string, taxonomy: Taxonomy): Promise<'changed' | 'same'> {
  const key = keys.taxonomy(name);
  await openPool(store, name);
  const { body, etag } = await store.get(key);
  const its = parseTaxonomy(parseJson(body, key, z.unknown()), key);
  refuseOtherClasses(name, its, taxonomy);
  const changed: Taxonomy = { ...taxonomy, identity: digestOfTaxonomy(its) };
  if (digestOf({ ...changed, identity: null }) === digestOf({ ...its, identity: null })) return 'same';
  if ((await store.replace(key, JSON.stringify(changed, null, 1), etag)) === 'conflict')
    throw new PartloopError('store-conflict', `the taxonomy of pool \`${name}\` changed just now`, {
      hint: 'Look at it with `partloop pool stats`, then run the same command again.',
    });
  return 'changed';
}
