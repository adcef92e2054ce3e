import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import type { IterationContext, Step, StepResults } from '../domain/steps.js';
import { digestOf } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import { readLoopState } from '../storage/loopState.js';
import { openSealed, sealed } from '../storage/seal.js';
import type { ActivityDeps } from './deps.js';
import { forceToken, isForced } from './runStep.js';

/**
 * State that others may change meanwhile, as a step found it, e.g. the newest version of a pool or the model in
 * production.
 */
export interface Pinned<T> {
  value: T;
  /**
   * Keep it for another execution of the step: that must find finished work done, even if the run that did it left no
   * record because it was terminated or reset. Call it when the step is nearly done: a failed step looks again.
   *
   * @throws PartloopError `store-conflict`, which is transient, if another attempt kept something else
   */
  keep(): Promise<void>;
}

/** State that is looked up once per iteration. */
export interface Pin<T> {
  name: 'pool-version' | 'benchmark' | 'reviews';
  /** A forced replay from this step or an earlier one looks again. */
  step: Step;
  schema: z.ZodType<T>;
}

/** State that need not be kept: it is recorded already, or each attempt should look again. */
export const unpinned = <T>(value: T): Pinned<T> => ({ value, keep: () => Promise.resolve() });

/**
 * The results in the iteration's record, for the steps that a replay from `step` does not repeat; none if the record is
 * of another pool.
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

/** The state that an earlier attempt of this iteration kept, otherwise the result of `find`. */
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

  /** Null if there is none or it is damaged: a new look usually finds the same. */
  async function readKept(): Promise<{ value: T } | null> {
    const object = await store.tryGet(key);
    if (object === null) return null;
    try {
      return openSealed(object.body, key, fileSchema, { isSealed: () => true });
    } catch (error) {
      if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
      log.warn({ error: error.message }, 'the state that the step found earlier is unreadable: it looks again');
      return null;
    }
  }
}
