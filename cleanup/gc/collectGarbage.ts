import { PartloopError } from '../../domain/base/errors.js';
import type { FailedDelete, ObjectStore } from '../../storage/objects/objectStore.js';
import { loopObjects } from '../loopObjects.js';
import { findGarbage } from './findGarbage.js';
import { type Cutoffs, type Garbage, KINDS, type Kind, type OpenWork, type Unreadable } from './garbage.js';

export interface Sweep {
  cutoffs: Cutoffs;
  /** Asked before anything is looked for, and again before the objects of each loop are deleted. */
  openWork(): Promise<OpenWork>;
  /** Take shards too: only a reset of a workflow that has ended would read them, and it can judge again. */
  withShards: boolean;
  /** Delete what is found; otherwise it is only counted. */
  isFinal: boolean;
  /** Objects that were found so far. */
  onProgress?(objects: number): void;
}

/** Objects of one kind. */
export interface Amount {
  kind: Kind;
  objects: number;
  bytes: number;
}

/** Where partloop writes: a bucket without a prefix may hold uploads of other programs. */
const OWN_FOLDERS = ['loops/', 'pools/', 'scans/', 'evaluations/'] as const;

/** What a sweep found. */
export interface Swept {
  /** One entry for each kind, also for those of which there is nothing. */
  kinds: Amount[];
  /** The same by loop or scan, for those that have some. */
  loops: (Amount & { loop: string })[];
  /** Workflows that run: what is theirs was passed over. */
  running: readonly string[];
  /** Records that cannot be read: what depends on them was passed over. */
  unreadable: Unreadable[];
  /** Why uploads that nobody ended could not be listed; null where they were. */
  noUploads: string | null;
  /** Objects that are still there although they were to be deleted. */
  failed: FailedDelete[];
}

/**
 * Find objects that nothing reads any more and, if the sweep is final, delete them. What is deleted is dead for good by
 * the rules of `findGarbage`, so that a loop that starts meanwhile loses nothing, and a sweep that ends half-way can be
 * run again.
 */
export async function collectGarbage(store: ObjectStore, sweep: Sweep): Promise<Swept> {
  const amounts = new Map<string, Amount & { loop: string }>();
  let objects = 0;
  const count = (loop: string, kind: Kind, bytes: number): void => {
    const id = `${loop} ${kind}`;
    const amount = amounts.get(id) ?? { loop, kind, objects: 0, bytes: 0 };
    amounts.set(id, { ...amount, objects: amount.objects + 1, bytes: amount.bytes + bytes });
    sweep.onProgress?.(++objects);
  };
  const open = await sweep.openWork();
  const unreadable: Unreadable[] = [];
  const failed: FailedDelete[] = [];
  for await (const loop of loopObjects(store)) {
    const found = await findGarbage(store, loop, sweep.cutoffs, open);
    unreadable.push(...found.unreadable);
    const wanted = found.garbage.filter(({ kind }) => sweep.withShards || kind !== 'shards');
    if (wanted.length === 0) continue;
    const stillOpen = sweep.isFinal ? await sweep.openWork() : open;
    const garbage = wanted.filter(({ iteration }) => !stillOpen.isOpen(loop.loop, iteration));
    const left = sweep.isFinal ? await remove(store, garbage) : [];
    failed.push(...left);
    const stays = new Set(left.map(({ key }) => key));
    for (const { kind, facts } of garbage) if (!stays.has(facts.key)) count(loop.loop, kind, facts.size);
  }
  const noUploads = await sweepUploads(store, sweep, (key, bytes) =>
    count(/^loops\/([^/]+)\//.exec(key)?.[1] ?? key.replace(/\/.*$/s, ''), 'uploads', bytes),
  );
  const loops = [...amounts.values()];
  return { kinds: KINDS.map((kind) => total(kind, loops)), loops, running: open.ids, unreadable, noUploads, failed };
}

function total(kind: Kind, loops: readonly Amount[]): Amount {
  const own = loops.filter((amount) => amount.kind === kind);
  const sum = (of: 'objects' | 'bytes'): number => own.reduce((so, amount) => so + amount[of], 0);
  return { kind, objects: sum('objects'), bytes: sum('bytes') };
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

/**
 * Give up uploads that nobody has ended for long.
 *
 * @returns why they cannot be listed, which needs a right of its own; null where they can
 */
async function sweepUploads(
  store: ObjectStore,
  { cutoffs, isFinal }: Sweep,
  count: (key: string, bytes: number) => void,
): Promise<string | null> {
  try {
    for (const folder of OWN_FOLDERS)
      for await (const upload of store.openUploads(folder)) {
        if (upload.startedAt >= cutoffs.abandoned) continue;
        const bytes = await store.uploadedBytes(upload);
        if (isFinal) await store.abortUpload(upload);
        count(upload.key, bytes);
      }
    return null;
  } catch (error) {
    if (error instanceof PartloopError) return error.message;
    throw error;
  }
}
