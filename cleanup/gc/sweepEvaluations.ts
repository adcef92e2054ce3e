import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import type { FailedDelete, ObjectFacts, ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import { parseJson } from '../../storage/tables/json.js';
import type { Unreadable } from './garbage.js';
import type { Sweep, Tally } from './sweep.js';

const IN_PARALLEL = 16;
/** What makes an evaluation findable goes first: none is ever found whose tables are gone. */
const MARKER = /\/(commit|summary)\.json$/;
const DIGEST = /[0-9a-f]{64}/g;
/** Where loops and scans name models, by digest or by the place of their evaluation: cards, too. */
const NAMING = /(\/state\.json|\/commit\.json|\/plan\.json|\/model\.json|\/pins\/[^/]+\/[^/]+\.json)$/;

/**
 * Evaluations of models that are gone: no record of a loop or scan names the model, nor does any registry, so that
 * nobody can compare it again and no report shows it. They stay behind when a loop is deleted.
 */
export async function sweepEvaluations(
  store: ObjectStore,
  sweep: Sweep,
  tally: Tally,
): Promise<{ unreadable: Unreadable[]; failed: FailedDelete[] }> {
  const found = await oldOnes(store, sweep);
  const unreadable: Unreadable[] = [];
  // A loop's record names most of its models, so that most sweeps read no more than these.
  for (const prefix of ['registry/', 'loops/', 'scans/'])
    await forgetNamed(store, prefix, (key) => prefix === 'registry/' || /\/state\.json$/.test(key), found, unreadable);
  for (const prefix of ['loops/', 'scans/'])
    await forgetNamed(store, prefix, (key) => NAMING.test(key), found, unreadable);
  // Whatever a damaged record names stays.
  if (unreadable.length > 0) return { unreadable, failed: [] };
  const objects = [...found.values()].flat();
  const failed = sweep.isFinal ? await remove(store, objects) : [];
  const stays = new Set(failed.map(({ key }) => key));
  for (const { key, size } of objects) if (!stays.has(key)) tally.add('evaluations', 'evaluations', size);
  return { unreadable, failed };
}

/** The objects of each model of whose evaluations nothing was written for long, by the model's digest. */
async function oldOnes(store: ObjectStore, { cutoffs }: Sweep): Promise<Map<string, ObjectFacts[]>> {
  const models = new Map<string, ObjectFacts[]>();
  for await (const facts of store.list('evaluations/')) {
    const model = facts.key.split('/')[1] ?? '';
    const known = models.get(model);
    if (known === undefined) models.set(model, [facts]);
    else known.push(facts);
  }
  for (const [model, objects] of models)
    if (objects.some(({ modifiedAt }) => modifiedAt >= cutoffs.abandoned)) models.delete(model);
  return models;
}

/** Take those models out of `found` that a record below a prefix names, at any depth and under any field. */
async function forgetNamed(
  store: ObjectStore,
  prefix: string,
  isRecord: (key: string) => boolean,
  found: Map<string, unknown>,
  unreadable: Unreadable[],
): Promise<void> {
  if (found.size === 0) return;
  const records: string[] = [];
  for await (const { key } of store.list(prefix)) if (isRecord(key)) records.push(key);
  await forEachLimited(records, IN_PARALLEL, async (key) => {
    const object = await store.tryGet(key);
    if (object === null) return;
    try {
      const text = JSON.stringify(parseJson(object.body, key, z.unknown()));
      for (const [digest] of text.matchAll(DIGEST)) found.delete(digest);
    } catch (error) {
      if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
      unreadable.push({ key, why: error.message });
    }
  });
}

async function remove(store: ObjectStore, objects: readonly ObjectFacts[]): Promise<FailedDelete[]> {
  const keys = objects.map(({ key }) => key);
  const failed = await store.tryDelete(keys.filter((key) => MARKER.test(key)));
  return [...failed, ...(await store.tryDelete(keys.filter((key) => !MARKER.test(key))))];
}
