import { PartloopError } from '../base/errors.js';
import {
  type BenchmarkRegistry,
  type ProductionEntry,
  type RegisteredModel,
  sameModel,
  withBenchmark,
  withEntry,
} from './decision.js';

/** A person's word on a change of the model in production. */
export interface Signed {
  by: string;
  why: string;
  /** ISO time. */
  at: string;
}

/**
 * The entries that lead to the model in production, oldest first: a rollback takes back all entries after its model.
 * The last one is in production, the one before it is where a rollback leads.
 */
export function productionStack(history: readonly ProductionEntry[]): ProductionEntry[] {
  const stack: ProductionEntry[] = [];
  for (const entry of history) {
    const back = entry.rollback === true ? stack.findLastIndex(({ model }) => sameModel(model, entry.model)) : -1;
    if (back < 0) stack.push(entry);
    else stack.splice(back + 1);
  }
  return stack;
}

/** The registry after a person put `model` into production; unchanged if it is there. */
export function withPromotion(
  registry: BenchmarkRegistry,
  model: RegisteredModel,
  { by, why, at }: Signed,
): BenchmarkRegistry {
  if (registry.model !== null && sameModel(registry.model, model)) return registry;
  return withEntry(registry, { model, at, reason: `promoted by ${by}: ${why}`, by, why });
}

/**
 * The registry after a person took the model `from` out of production again.
 *
 * @param to a model that led to `from`; the one before it if null
 * @throws PartloopError `refused` if another model than `from` is in production, or if there is none to go back to
 */
export function withRollback(
  registry: BenchmarkRegistry,
  { from, to }: { from: RegisteredModel; to: RegisteredModel | null },
  { by, why, at }: Signed,
): BenchmarkRegistry {
  if (registry.model === null || !sameModel(registry.model, from))
    throw new PartloopError('refused', 'the model in production changed meanwhile: nothing was rolled back', {
      hint: '`partloop model list` shows which one is there now.',
    });
  const earlier = productionStack(registry.history).slice(0, -1);
  const isTarget = (model: RegisteredModel): boolean => to !== null && sameModel(model, to) && !sameModel(model, from);
  const target = to === null ? earlier.at(-1) : earlier.findLast(({ model }) => isTarget(model));
  if (target === undefined && to === null)
    throw new PartloopError('refused', 'no model was in production before this one', {
      hint: '`partloop model promote` puts another one there.',
    });
  if (target === undefined)
    throw new PartloopError('refused', 'production did not come from this model, so that it cannot go back to it', {
      hint: '`partloop model show` lists the way; `partloop model promote` puts any model into production.',
    });
  const { model } = target;
  return withEntry(registry, { model, at, reason: `rolled back by ${by}: ${why}`, by, why, rollback: true });
}

/**
 * The registry after the gate promoted `candidate` over `rival`; unchanged if that happened before.
 *
 * @throws PartloopError `store-conflict`, which is transient, if another model came into production meanwhile: the gate
 * has to compare with that one
 */
export function withGatePromotion(
  registry: BenchmarkRegistry,
  { candidate, rival }: { candidate: RegisteredModel; rival: RegisteredModel | null },
  { reason, at }: { reason: string; at: string },
): BenchmarkRegistry {
  const promoted = withBenchmark(registry, candidate, reason, at);
  const { model } = registry;
  const isRival = model === null ? rival === null : rival !== null && sameModel(model, rival);
  if (promoted === registry || isRival) return promoted;
  throw new PartloopError('store-conflict', 'another model came into production while the gate compared', {
    hint: 'The step compares with that model when it is tried again.',
  });
}
