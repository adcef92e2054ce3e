import type { ObjectFacts, ObjectStore } from '../../storage/objects/objectStore.js';
import type { LoopObjects } from '../loopObjects.js';
import { namedKeys } from '../namedKeys.js';
import type { Cutoffs, Garbage, OpenWork, Unreadable } from './garbage.js';
import { type Commit, type LoopRecords, readCommitOf, readRecords } from './loopRecords.js';
import { type AttemptFile, type StepFolder, stepFolders } from './stepFolders.js';

const CHECKPOINT = /^checkpoints\//;
const SHARD = /^shards\//;

/**
 * What nothing of a loop or a scan reads any more, by the rules that steps are found by:
 *
 * - A step whose commit is there is never done again, so that its checkpoints serve nobody, unless an unfinished
 *   training names them. Who reads its outputs asks for the attempt that the commit names.
 * - A step without a commit is begun anew by an attempt of another name, from the checkpoints that its pointer names.
 * - Shards are read by the reduction of their scan. A replay of the scan judges again under other names. Only a retry
 *   of an iteration that is not finished asks for them, or a reset of a workflow that has ended.
 */
export async function findGarbage(
  store: ObjectStore,
  { loop, objects }: LoopObjects,
  cutoffs: Cutoffs,
  open: OpenWork,
): Promise<{ garbage: Garbage[]; unreadable: Unreadable[] }> {
  const folders = stepFolders(objects);
  const records = await readRecords(store, loop, folders);
  const { unreadable } = records;
  if (records.named === null) return { garbage: [], unreadable };
  const reduced = new Set<string>();
  const found: Garbage[] = [];
  // A scan's commit says which shards it has read.
  for (const folder of folders.toSorted((a, b) => Number(b.step === 'scan') - Number(a.step === 'scan'))) {
    if (records.unclear.has(folder.iteration) || open.isOpen(loop, folder.iteration)) continue;
    if (folder.commit === null) found.push(...abandonedIn(folder, cutoffs));
    else if (isOld(folder.commit, cutoffs) && mayHold(folder)) {
      const commit = await readCommitOf(store, folder, unreadable);
      if (commit === null) continue;
      if (folder.step === 'scan') for (const key of namedKeys(commit)) reduced.add(key.replace(/[^/]*$/, ''));
      found.push(...deadIn(folder, commit, records, reduced));
    }
  }
  return {
    garbage: found.filter(({ facts }) => isOld(facts, cutoffs) && !records.named.has(facts.key)),
    unreadable,
  };
}

const isOld = ({ modifiedAt }: ObjectFacts, { written }: Cutoffs): boolean => modifiedAt < written;

/** Whether the commit of a folder need be read. */
const mayHold = ({ step, chain, files }: StepFolder): boolean =>
  step === 'scan' ||
  chain !== null ||
  new Set(files.map(({ attempt }) => attempt)).size > 1 ||
  files.some(({ file }) => CHECKPOINT.test(file) || SHARD.test(file));

/** In the folder of a finished step. */
function deadIn(
  { step, iteration, prefix, chain, files }: StepFolder,
  commit: Commit,
  records: LoopRecords,
  reduced: ReadonlySet<string>,
): Garbage[] {
  const kindOf = ({ file, attempt }: AttemptFile): Garbage['kind'] | null => {
    if (CHECKPOINT.test(file)) return 'checkpoints';
    // Commits of before may not say whose they are.
    if (commit.attempt !== undefined && attempt !== commit.attempt) return 'lostAttempts';
    const isRead = records.isSettled(iteration) && reduced.has(`${prefix}${attempt}/`);
    return step === 'plan' && SHARD.test(file) && isRead ? 'shards' : null;
  };
  const pointer: Garbage[] =
    chain === null ? [] : [{ kind: 'checkpoints', iteration, facts: chain, isRewritten: true }];
  return [
    ...pointer,
    ...files.flatMap((file): Garbage[] => {
      const kind = kindOf(file);
      return kind === null
        ? []
        : [{ kind, iteration, facts: file.facts, isRewritten: file.file.endsWith('.in-hand.json') }];
    }),
  ];
}

/** In the folder of a step that nobody finished. Its pointer stays: a retry goes on from what it names. */
function abandonedIn({ iteration, chain, files }: StepFolder, { abandoned }: Cutoffs): Garbage[] {
  const all = [...(chain === null ? [] : [chain]), ...files.map(({ facts }) => facts)];
  if (all.some(({ modifiedAt }) => modifiedAt >= abandoned)) return [];
  return files.map(({ facts }) => ({ kind: 'abandonedAttempts', iteration, facts, isRewritten: false }));
}
