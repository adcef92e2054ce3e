import { keys } from '../../storage/keys.js';
import type { FailedDelete, ObjectFacts, ObjectStore } from '../../storage/objects/objectStore.js';
import { findGarbage } from './findGarbage.js';
import type { Garbage, OpenWork, Unreadable } from './garbage.js';
import type { Sweep, Tally } from './sweep.js';

/**
 * Find what nothing of one loop or scan reads any more and, if the sweep is final, delete it.
 *
 * @param open what ran when the sweep began
 */
export async function sweepLoop(
  store: ObjectStore,
  sweep: Sweep,
  { loop, open, tally }: { loop: string; open: OpenWork; tally: Tally },
): Promise<{ unreadable: Unreadable[]; failed: FailedDelete[] }> {
  const objects: ObjectFacts[] = [];
  for await (const facts of store.list(keys.loopPrefix(loop))) objects.push(facts);
  const { garbage: found, unreadable } = await findGarbage(store, { loop, objects }, sweep.cutoffs, open);
  const wanted = found.filter(({ kind }) => sweep.withShards || kind !== 'shards');
  if (wanted.length === 0) return { unreadable, failed: [] };
  const stillOpen = sweep.isFinal ? await sweep.openWork() : open;
  const garbage = wanted.filter(({ iteration }) => !stillOpen.isOpen(loop, iteration));
  const failed = sweep.isFinal ? await remove(store, garbage) : [];
  const stays = new Set(failed.map(({ key }) => key));
  for (const { kind, facts } of garbage) if (!stays.has(facts.key)) tally.add(loop, kind, facts.size);
  return { unreadable, failed };
}

/** Delete a loop's objects, its pointers first: none ever names a checkpoint that is gone. */
async function remove(store: ObjectStore, garbage: readonly Garbage[]): Promise<FailedDelete[]> {
  const changed: FailedDelete[] = [];
  const pointers: string[] = [];
  for (const { facts } of garbage.filter(({ isRewritten }) => isRewritten)) {
    const now = await store.head(facts.key);
    if (now?.etag === facts.etag) pointers.push(facts.key);
    else if (now !== null) changed.push({ key: facts.key, reason: 'it was written meanwhile' });
  }
  const failed = [...changed, ...(await store.tryDelete(pointers))];
  if (failed.length > 0) return [...failed, ...garbage.flatMap(stayed)];
  return store.tryDelete(garbage.filter(({ isRewritten }) => !isRewritten).map(({ facts }) => facts.key));
}

const stayed = ({ isRewritten, facts: { key } }: Garbage): FailedDelete[] =>
  isRewritten ? [] : [{ key, reason: 'a pointer of its loop was not deleted' }];
