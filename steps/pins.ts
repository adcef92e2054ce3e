import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import type { IterationContext, Step, StepResults } from '../domain/steps.js';
import { digestOf } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import { readLoopState } from '../storage/loopState.js';
import { openSealed, sealed } from '../storage/seal.js';
import type { ActivityDeps } from './deps.js';
import { forceToken, isForced } from './runStep.js';

/** What a step found where others write meanwhile, e.g. the newest version of a pool or the model in production. */
export interface Pinned<T> {
  value: T;
  /**
   * Keep it for whoever does the step again: it must find done what is done, also where the run that did it left no
   * record since it was terminated or reset. Call it once the step is as good as done: one that failed looks anew.
   *
   * @throws PartloopError `store-conflict`, which passes, where another attempt kept something else
   */
  keep(): Promise<void>;
}

/** Something that is looked for once per iteration. */
export interface Pin<T> {
  name: 'pool-version' | 'benchmark' | 'reviews';
  /** A forced replay from here or before looks anew. */
  step: Step;
  schema: z.ZodType<T>;
}

/** What needs no keeping: it is recorded already, or each attempt is to look anew. */
export const unpinned = <T>(value: T): Pinned<T> => ({ value, keep: () => Promise.resolve() });

/**
 * The results that the iteration's record holds, for the steps that a replay from `step` does not do again; none where
 * it was of another pool.
 */
export async function recordedResults(
  { store }: Pick<ActivityDeps, 'store'>,
  context: IterationContext,
  step: Step,
): Promise<StepResults> {
  if (isForced(context, step)) return {};
  const { iterations } = await readLoopState(store, context.loop);
  const own = iterations.find(({ iteration }) => iteration === context.iteration)?.current;
  return own?.config.pool === context.config.pool ? own.results : {};
}

/** What an earlier attempt of this iteration kept, or else what `find` finds. */
export async function pinned<T>(
  { store, log }: Pick<ActivityDeps, 'store' | 'log'>,
  context: IterationContext,
  { name, step, schema }: Pin<T>,
  find: () => Promise<T>,
): Promise<Pinned<T>> {
  const { loop, iteration, config } = context;
  const key = keys.pin(loop, iteration, name, digestOf({ pool: config.pool, force: forceToken(context, step) }));
  const fileSchema = z.object({ version: z.literal(1), value: schema });

  const kept = await readKept();
  const value = kept === null ? await find() : kept.value;
  return { value, keep: () => (kept === null ? keep() : Promise.resolve()) };

  async function keep(): Promise<void> {
    const file = sealed({ version: 1, value });
    if ((await store.putIfAbsent(key, file, 'application/json')) === 'created') return;
    const other = await readKept();
    if (other === null) await store.put(key, file, 'application/json');
    else if (digestOf(other.value) !== digestOf(value))
      throw new PartloopError('store-conflict', `${key}: another attempt at the step found something else meanwhile`);
  }

  /** Null where there is none, and where it is damaged: what is looked for anew is most often the same. */
  async function readKept(): Promise<{ value: T } | null> {
    const object = await store.tryGet(key);
    if (object === null) return null;
    try {
      return openSealed(object.body, key, fileSchema, { isSealed: () => true });
    } catch (error) {
      if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
      log.warn({ error: error.message }, 'what the step found earlier cannot be read: it looks anew');
      return null;
    }
  }
}
