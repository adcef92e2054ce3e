import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { benchmarkRegistrySchema } from '../../domain/decide/decision.js';
import { keys } from '../../storage/keys.js';
import type { ObjectFacts, ObjectStore } from '../../storage/objects/objectStore.js';
import { listScans } from '../../storage/scans.js';
import { parseJson } from '../../storage/tables/json.js';
import { loopObjects } from '../loopObjects.js';
import { namedKeys } from '../namedKeys.js';

export type Removable = 'loop' | 'scan';

/** A record of another loop or scan that names objects of this one. */
export interface Needed {
  /** Whose record it is. */
  by: string;
  kind: Removable;
  /** The first of its records that does so. */
  record: string;
}

/** What the deletion of a loop or a scan would take, and who needs it. */
export interface RemovalPlan {
  name: string;
  kind: Removable;
  objects: number;
  bytes: number;
  /** Iterations of which there is something. */
  iterations: number;
  /** Trained models that were kept. */
  models: number;
  /** Registries whose model in production it trained. */
  production: { registry: string; model: string }[];
  /** Registries in which a model of it was in production before. */
  formerly: string[];
  neededBy: Needed[];
}

/** Where everything lies that belongs to it. */
export const prefixesOf = (kind: Removable, name: string): readonly string[] =>
  kind === 'loop' ? [keys.loopPrefix(name)] : [keys.scanPrefix(name), keys.loopPrefix(name)];

/**
 * What is there of a loop, or of a scan outside loops, whole or half deleted.
 *
 * @throws PartloopError `not-found` if there is nothing of it, or if the name is that of the other kind
 */
export async function planRemoval(
  store: ObjectStore,
  kind: Removable,
  name: string,
  onProgress: (objects: number) => void,
): Promise<RemovalPlan> {
  await assertKind(store, kind, name);
  const found: ObjectFacts[] = [];
  for (const prefix of prefixesOf(kind, name))
    for await (const facts of store.list(prefix)) {
      found.push(facts);
      onProgress(found.length);
    }
  if (found.length === 0)
    throw new PartloopError('not-found', `there is no ${kind} \`${name}\` in the store`, {
      hint: kind === 'loop' ? '`partloop loop status` shows all loops.' : '`partloop scan list` shows all scans.',
    });
  const iterations = new Set(found.flatMap(({ key }) => /\/iterations\/(\d+)\//.exec(key)?.[1] ?? []));
  return {
    ...{ name, kind, objects: found.length, iterations: iterations.size },
    bytes: found.reduce((sum, { size }) => sum + size, 0),
    models: found.filter(({ key }) => /\/train\/.*\/model\.json$/.test(key)).length,
    neededBy: await neededBy(store, kind, name),
    // Last: looking for users takes minutes, in which a model may be promoted.
    ...(await registered(store, name)),
  };
}

/** Loops and scans keep their steps in folders of one kind: the name must not be one of the others. */
async function assertKind(store: ObjectStore, kind: Removable, name: string): Promise<void> {
  const isLoop = (await store.head(keys.loopState(name))) !== null;
  const isScan = (await store.head(keys.scan(name))) !== null;
  if (kind === 'scan' && isLoop)
    throw new PartloopError('not-found', `there is no scan \`${name}\` outside loops; it is a loop`, {
      hint: `\`partloop loop delete ${name}\` deletes the loop.`,
    });
  if (kind === 'loop' && isScan && !isLoop)
    throw new PartloopError('not-found', `there is no loop \`${name}\`; it is a scan outside loops`, {
      hint: `\`partloop scan delete ${name}\` deletes the scan.`,
    });
}

/** Registries whose model in production is of this loop or scan, and those in whose history one is. */
export async function registered(
  store: ObjectStore,
  name: string,
): Promise<Pick<RemovalPlan, 'production' | 'formerly'>> {
  const production: RemovalPlan['production'] = [];
  const formerly: string[] = [];
  for await (const { key } of store.list('registry/')) {
    const { model, history } = parseJson((await store.get(key)).body, key, benchmarkRegistrySchema);
    if (model?.loop === name) production.push({ registry: key, model: model.scan });
    else if (history.some((entry) => entry.model.loop === name)) formerly.push(key);
  }
  return { production, formerly };
}

/** Records in which a loop names what it goes on from: its state, commits, plans of scans, and what it found. */
const RECORD = /(\/state\.json|\/commit\.json|\/plan\.json|\/pins\/[^/]+\/[^/]+\.json)$/;

async function neededBy(store: ObjectStore, kind: Removable, name: string): Promise<Needed[]> {
  const own = prefixesOf(kind, name);
  const needed: Needed[] = [];
  const scans = new Set(await listScans(store));
  for await (const { loop, objects } of loopObjects(store)) {
    if (loop === name) continue;
    const records = objects.map(({ key }) => key).filter((key) => RECORD.test(key));
    const record = await firstNaming(store, scans.has(loop) ? [...records, keys.scan(loop)] : records, own);
    if (record !== null) needed.push({ by: loop, kind: scans.has(loop) ? 'scan' : 'loop', record });
  }
  return needed;
}

/** The first record that names an object below one of the prefixes. One that cannot be read may, and counts. */
async function firstNaming(
  store: ObjectStore,
  records: readonly string[],
  prefixes: readonly string[],
): Promise<string | null> {
  for (const record of records) {
    const object = await store.tryGet(record);
    if (object === null) continue;
    const named = namedIn(object.body, record);
    if (named === null || [...named].some((key) => prefixes.some((prefix) => key.startsWith(prefix)))) return record;
  }
  return null;
}

function namedIn(body: Uint8Array, key: string): Set<string> | null {
  try {
    return namedKeys(parseJson(body, key, z.unknown()));
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'data-invalid') return null;
    throw error;
  }
}
