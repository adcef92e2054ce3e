import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import type { ResultOf, StepContract, WorkOf } from '../domain/stepContract.js';
import {
  type IterationContext,
  isPart,
  PARTS,
  type Part,
  recordedResult,
  STEPS,
  type Step,
  type StepResults,
} from '../domain/steps.js';
import { digestInName, parseCommit, recording, redoHint } from '../storage/commit.js';
import { digestOf } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { type FileDigests, fileDigestsSchema, sealed } from '../storage/seal.js';

const commitSchema = z.object({
  step: z.string(),
  digest: z.string(),
  attempt: z.string(),
  inputs: z.unknown(),
  committedAt: z.string(),
  /** Files of the attempt, by name in its folder; absent in older commits. */
  files: fileDigestsSchema.optional(),
});

/** One execution of a step. Its token is in every key it writes, so that attempts never overwrite each other. */
export interface Attempt {
  token: string;
  digest: string;
  /** Digest of the same work without the replay that asked for it again; null for work that was not forced. */
  unforced: string | null;
  /** The store for all outputs: it notes their digests for the commit. */
  store: ObjectStore;
  /** The key of an output file of this attempt. */
  key(file: string): string;
}

/** True if a forced replay asks for this step again. */
export function isForced(context: IterationContext, step: Step): boolean {
  return context.force !== null && STEPS.indexOf(step) >= STEPS.indexOf(context.force.from);
}

/** The token of a forced replay that asks for this work again; null if none does. */
export function forceToken(context: IterationContext, step: Step | Part): string | null {
  return isForced(context, isPart(step) ? PARTS[step] : step) ? (context.force?.token ?? null) : null;
}

/**
 * Do a step unless it is done: the digest of `inputs` (data, resolved config, the step's `version`, model digests;
 * never attempts, times or endpoints) names its place. `commit.json`, made once by a conditional write, marks it as
 * complete. The check is here, inside the activity, so that a Temporal retry, a UI reset and a replay all agree. If two
 * attempts finish, the first commit wins and both return it.
 */
export async function runStep<C extends StepContract>(
  store: ObjectStore,
  context: IterationContext,
  contract: C,
  inputs: z.input<C['inputs']>,
  work: (attempt: Attempt) => Promise<WorkOf<C>>,
): Promise<ResultOf<C>> {
  const { step, version } = contract;
  const resultSchema = recordedResult(contract);
  const force = forceToken(context, step);
  const digest = digestOf({ step, version, inputs, force });
  const commitKey = keys.commit(context.loop, context.iteration, step, digest);
  const earlier = await readCommit(store, commitKey, contract, context);
  if (earlier !== null) return { ...earlier, outcome: 'hit' };

  const token = randomUUID();
  const startedAt = Date.now();
  const key = (file: string): string => keys.attempt(context.loop, context.iteration, step, digest, token, file);
  const recorder = recording(store, key(''));
  const unforced = force === null ? null : digestOf({ step, version, inputs, force: null });
  const { outputs, facts } = await work({ token, digest, unforced, store: recorder.store, key });
  assertNoted(outputs, key(''), recorder.files);
  const result = resultSchema.parse({
    step,
    digest,
    outcome: force === null ? 'miss' : 'forced',
    outputs,
    facts,
    seconds: Math.round((Date.now() - startedAt) / 100) / 10,
  });
  const { files } = recorder;
  const commit = { step, digest, attempt: token, inputs, result, committedAt: new Date().toISOString(), files };
  if ((await store.putIfAbsent(commitKey, sealed(commit), 'application/json')) === 'created') return result;
  const winner = await readCommit(store, commitKey, contract, context);
  if (winner === null) throw new PartloopError('store-conflict', `${commitKey} existed and has disappeared`);
  return winner;
}

/** Whether the work of this digest is done. */
export async function isCommitted(
  store: ObjectStore,
  { loop, iteration }: Pick<IterationContext, 'loop' | 'iteration'>,
  step: Step | Part,
  digest: string,
): Promise<boolean> {
  return (await store.head(keys.commit(loop, iteration, step, digest))) !== null;
}

/**
 * The results whose commits still exist, up to the first missing one: that one and the following ones are done again.
 */
export async function committedResults(
  store: ObjectStore,
  of: Pick<IterationContext, 'loop' | 'iteration'>,
  kept: StepResults,
): Promise<StepResults> {
  let there: StepResults = {};
  for (const step of STEPS) {
    const result = kept[step];
    if (result === undefined) continue;
    if (!(await isCommitted(store, of, step, result.digest))) break;
    there = { ...there, [step]: result };
  }
  return there;
}

async function readCommit<C extends StepContract>(
  store: ObjectStore,
  key: string,
  contract: C,
  { loop, iteration }: IterationContext,
): Promise<ResultOf<C> | null> {
  const object = await store.tryGet(key);
  if (object === null) return null;
  const schema = commitSchema.extend({ result: recordedResult(contract) });
  return parseCommit(object.body, key, schema, redoHint({ of: { loop, iteration, step: contract.step } })).result;
}

/** An output without a digest would always be read unchecked. */
function assertNoted(outputs: object, folder: string, files: FileDigests): void {
  for (const key of Object.values(outputs)) {
    if (typeof key !== 'string') continue;
    const file = key.slice(folder.length);
    if (key.startsWith(folder) && !Object.hasOwn(files, file) && digestInName(file) === null)
      throw new PartloopError('internal', `${key} was not written through the store of its attempt`);
  }
}
