import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import { recorded } from '../domain/recorded.js';
import { type IterationContext, STEPS, type Step, type StepResult, stepResultSchema } from '../domain/steps.js';
import { digestOf } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/objectStore.js';

const commitSchema = z.object({
  step: z.string(),
  digest: z.string(),
  attempt: z.string(),
  inputs: z.unknown(),
  result: stepResultSchema,
  committedAt: z.string(),
});

/** One execution of a step. Its token is in every key it writes, so that attempts never overwrite each other. */
export interface Attempt {
  token: string;
  digest: string;
  /** Digest of the same work where no replay had asked for it anew; null for work that was not forced. */
  unforced: string | null;
  /** The key of an output file of this attempt. */
  key(file: string): string;
}

export interface StepWork {
  outputs: Record<string, string>;
  facts: StepResult['facts'];
}

/** Work with a commit of its own that is a part of a step. */
const PARTS = { plan: 'scan', fold: 'scan', trial: 'tune' } as const satisfies Record<string, Step>;
export type Part = keyof typeof PARTS;

const isPart = (step: Step | Part): step is Part => step in PARTS;

/** True where a forced replay asks for this step to be done again. */
export function isForced(context: IterationContext, step: Step): boolean {
  return context.force !== null && STEPS.indexOf(step) >= STEPS.indexOf(context.force.from);
}

/** The token of a forced replay that asks for this work to be done again; null where none does. */
export function forceToken(context: IterationContext, step: Step | Part): string | null {
  return isForced(context, isPart(step) ? PARTS[step] : step) ? (context.force?.token ?? null) : null;
}

/**
 * Do a step unless it is done: the digest of `inputs` (data, resolved config, the step's `version`, model digests; never
 * attempts, times or endpoints) names its place, `commit.json` made once by a conditional write says that it is whole.
 * Checked here, inside the activity, so that a Temporal retry, a UI reset and a replay all agree. Where two attempts
 * finish, the first commit wins and both return it.
 */
export async function runStep(
  store: ObjectStore,
  context: IterationContext,
  step: Step | Part,
  version: number,
  inputs: unknown,
  work: (attempt: Attempt) => Promise<StepWork>,
): Promise<StepResult> {
  const force = forceToken(context, step);
  const digest = digestOf({ step, version, inputs, force });
  const commitKey = keys.commit(context.loop, context.iteration, step, digest);
  const earlier = await readCommit(store, commitKey);
  if (earlier !== null) return { ...earlier, outcome: 'hit' };

  const token = randomUUID();
  const startedAt = Date.now();
  const { outputs, facts } = await work({
    token,
    digest,
    unforced: force === null ? null : digestOf({ step, version, inputs, force: null }),
    key: (file) => keys.attempt(context.loop, context.iteration, step, digest, token, file),
  });
  const result: StepResult = {
    step,
    digest,
    outcome: force === null ? 'miss' : 'forced',
    outputs,
    facts,
    seconds: Math.round((Date.now() - startedAt) / 100) / 10,
  };
  const commit = { step, digest, attempt: token, inputs, result, committedAt: new Date().toISOString() };
  if ((await store.putIfAbsent(commitKey, JSON.stringify(commit, null, 2), 'application/json')) === 'created')
    return result;
  const winner = await readCommit(store, commitKey);
  if (winner === null) throw new PartloopError('store-conflict', `${commitKey} was there and is gone`);
  return winner;
}

/** Whether the work of this digest is done. */
export async function isCommitted(
  store: ObjectStore,
  { loop, iteration }: IterationContext,
  step: Step | Part,
  digest: string,
): Promise<boolean> {
  return (await store.head(keys.commit(loop, iteration, step, digest))) !== null;
}

async function readCommit(store: ObjectStore, key: string): Promise<StepResult | null> {
  const object = await store.tryGet(key);
  if (object === null) return null;
  const parsed = recorded(commitSchema).safeParse(JSON.parse(new TextDecoder().decode(object.body)));
  if (!parsed.success) {
    throw new PartloopError(
      'data-invalid',
      `${key} is not a commit of this version of partloop: ${z.prettifyError(parsed.error)}`,
      {
        hint: 'Do the step again, under a fresh key: `partloop iteration replay LOOP N --from STEP`; a scan by itself: run it again.',
      },
    );
  }
  return parsed.data.result;
}
