import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { newestAttempt } from '../../domain/loop/state.js';
import { parseCommit } from '../../storage/commit.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readScanRecord } from '../../storage/scans.js';
import { parseJson } from '../../storage/tables/json.js';
import { namedKeys } from '../namedKeys.js';
import type { Unreadable } from './garbage.js';
import type { StepFolder } from './stepFolders.js';

/** What a loop's records say about its objects. */
export interface LoopRecords {
  /** Objects that stay, whatever else speaks against it. */
  named: ReadonlySet<string>;
  /** Iterations in which a training may go on from checkpoints that its record does not tell. */
  unclear: ReadonlySet<number>;
  /** Whether no retry can ask for the scan of this iteration again. */
  isSettled(iteration: number): boolean;
  unreadable: Unreadable[];
}

const commitSchema = z.looseObject({ attempt: z.string().optional() });
export type Commit = z.infer<typeof commitSchema>;

/**
 * Read what a loop or a scan keeps of itself: its record, and the checkpoints that unfinished trainings go on from. A
 * replay borrows those of earlier runs, so that each of them names what must stay.
 *
 * @returns null where its record is damaged, which is then `unreadable`
 */
export async function readRecords(
  store: ObjectStore,
  loop: string,
  folders: readonly StepFolder[],
): Promise<LoopRecords | { unreadable: Unreadable[]; named: null }> {
  const named = new Set<string>();
  const unclear = new Set<number>();
  const unreadable: Unreadable[] = [];
  const own = await attempted(unreadable, `loops/${loop}/state.json`, async () => {
    const [state, scan] = [await readLoopState(store, loop), await readScanRecord(store, loop)];
    namedKeys([state, scan], named);
    return { state, isScan: scan !== null };
  });
  if (own === null) return { unreadable, named: null };
  for (const { commit, chain, iteration } of folders) {
    if (chain === null || commit !== null) continue;
    const there = await attempted(unreadable, chain.key, async () => {
      const object = await store.tryGet(chain.key);
      if (object !== null) namedKeys(parseJson(object.body, chain.key, z.looseObject({})), named);
      return true;
    });
    if (there === null) unclear.add(iteration);
  }
  const settled = new Set(
    own.state.iterations
      .filter((entry) => entry.current.status === 'finished' && newestAttempt(entry).status === 'finished')
      .map(({ iteration }) => iteration),
  );
  return { named, unclear, unreadable, isSettled: (iteration) => own.isScan || settled.has(iteration) };
}

/** The commit of a folder; null where it is damaged, or gone meanwhile. */
export async function readCommitOf(
  store: ObjectStore,
  { prefix }: StepFolder,
  unreadable: Unreadable[],
): Promise<Commit | null> {
  const key = `${prefix}commit.json`;
  return attempted(unreadable, key, async () => {
    const object = await store.tryGet(key);
    return object === null ? null : parseCommit(object.body, key, commitSchema, '');
  });
}

async function attempted<T>(unreadable: Unreadable[], key: string, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
    unreadable.push({ key, why: error.message });
    return null;
  }
}
