import { PartloopError } from '../../domain/base/errors.js';
import { newestAttempt, ownConfig } from '../../domain/loop/state.js';
import { derivativeSide } from '../../domain/train/derivativeSide.js';
import { keys } from '../../storage/keys.js';
import { readLoopState } from '../../storage/loopState.js';
import type { FailedDelete, ObjectFacts, ObjectStore } from '../../storage/objects/objectStore.js';
import type { Unreadable } from './garbage.js';
import type { Sweep, Tally } from './sweep.js';

/**
 * Reduced pictures and labels of a size that no loop over their pool trains on. Whoever needs one makes it again from
 * its source, at any time: so nothing depends on them but speed, and they go only if a person asks for it, and while
 * nothing runs.
 */
export async function sweepCopies(
  store: ObjectStore,
  sweep: Sweep,
  tally: Tally,
): Promise<{ unreadable: Unreadable[]; failed: FailedDelete[] }> {
  const [unreadable, failed] = [[] as Unreadable[], [] as FailedDelete[]];
  if (!sweep.withCopies) return { unreadable, failed };
  const used = await usedSides(store, unreadable);
  for await (const pool of store.folders('pools/'))
    for await (const side of store.folders(keys.derivativePrefix(pool))) {
      // A loop whose record is damaged may train on any.
      if (unreadable.length > 0 || used.has(`${pool} ${side}`)) continue;
      if ((await sweep.openWork()).ids.length > 0) return { unreadable, failed };
      const objects: ObjectFacts[] = [];
      for await (const facts of store.list(`${keys.derivativePrefix(pool)}${side}/`)) objects.push(facts);
      if (objects.some(({ modifiedAt }) => modifiedAt >= sweep.cutoffs.abandoned)) continue;
      const left = sweep.isFinal ? await store.tryDelete(objects.map(({ key }) => key)) : [];
      failed.push(...left);
      const stays = new Set(left.map(({ key }) => key));
      for (const { key, size } of objects) if (!stays.has(key)) tally.add(`pools/${pool}`, 'copies', size);
    }
  return { unreadable, failed };
}

/** `pool side` for what each loop trains on now, and what a retry of its unfinished iterations would train on. */
async function usedSides(store: ObjectStore, unreadable: Unreadable[]): Promise<Set<string>> {
  const used = new Set<string>();
  for await (const loop of store.folders('loops/'))
    try {
      const state = await readLoopState(store, loop);
      const unfinished = state.iterations.map(newestAttempt).filter(({ status }) => status !== 'finished');
      for (const config of [ownConfig(state), ...unfinished.map((attempt) => attempt.config)])
        if (config !== null) used.add(`${config.pool} ${derivativeSide(config.train.imageSize)}`);
    } catch (error) {
      if (!(error instanceof PartloopError)) throw error;
      unreadable.push({ key: keys.loopState(loop), why: error.message });
    }
  return used;
}
