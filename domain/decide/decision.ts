import { z } from 'zod';
import { PartloopError } from '../base/errors.js';
import { nameSchema, sha256Schema } from '../base/ids.js';
import { leftOutSchema } from '../images/leftOut.js';

/** The keys and facts needed to run a model and to tell which images it may judge. Keys are inside the store. */
export const registeredModelSchema = z.object({
  scan: z.string(),
  card: z.string(),
  /** Digest of the scan model's file. */
  digest: sha256Schema,
  loop: nameSchema,
  /** Iteration that trained it; null for a baseline on random images. */
  iteration: z.number().int().positive().nullable(),
});
export type RegisteredModel = z.infer<typeof registeredModelSchema>;

/** One decision on one test version; their number determines the error probability of the next. */
export const lookSchema = z.object({
  testVersion: z.string(),
  loop: nameSchema,
  iteration: z.number().int().positive(),
  candidate: sha256Schema,
});
export type Look = z.infer<typeof lookSchema>;

/** One change of the model in production. */
export const productionEntrySchema = z.object({
  model: registeredModelSchema,
  at: z.string(),
  /** For people: `promoted by loop cars, iteration 3`. */
  reason: z.string(),
  /** Who made the change, and why, if a person did; absent in older entries and in those of the gate. */
  by: z.string().optional(),
  why: z.string().optional(),
  /** Whether it took back what came after `model` was last in production. */
  rollback: z.boolean().optional(),
});
export type ProductionEntry = z.infer<typeof productionEntrySchema>;

/** `registry/<taxonomy>/benchmark.json`: the model in production and how it came there. */
export const benchmarkRegistrySchema = z.object({
  version: z.literal(1),
  model: registeredModelSchema.nullable(),
  /** Oldest first; the last one is `model`. */
  history: z.array(productionEntrySchema),
  looks: z.array(lookSchema),
});
export type BenchmarkRegistry = z.infer<typeof benchmarkRegistrySchema>;

export const EMPTY_REGISTRY: BenchmarkRegistry = { version: 1, model: null, history: [], looks: [] };

/** first: there was no benchmark; held: not sure enough, or waiting for an approval; rejected: worse somewhere. */
export const GATES = ['promoted', 'held', 'first', 'rejected', 'not-enough-data'] as const;

const iou = z.number().min(0).max(1);
const difference = z.number().min(-1).max(1);

export const sliceVerdictSchema = z.object({
  name: z.string(),
  outcome: z.enum(['pass', 'fail', 'not-enough-data']),
  units: z.number().int().nonnegative(),
  candidate: iou,
  benchmark: iou,
  gain: difference,
  lower: z.number(),
  upper: z.number(),
  detectable: z.number(),
});

/** `decision.json` of the step decide. */
export const decisionSchema = z.object({
  version: z.literal(1),
  gate: z.enum(GATES),
  promoted: z.boolean(),
  reasons: z.array(z.string()),
  /** Waits for a person: the gate was passed and the mode is `approve`. */
  pendingApproval: z.boolean(),
  testVersion: z.string(),
  candidate: registeredModelSchema,
  benchmark: registeredModelSchema.nullable(),
  candidateMiou: iou,
  benchmarkMiou: iou.nullable(),
  gain: difference.nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  detectable: z.number().nullable(),
  units: z.number().int().nonnegative(),
  /** Test images on which both models were judged; null in older decisions, which do not record it. */
  images: z.number().int().nonnegative().nullable().default(null),
  /** Test images on which at least one of them could not be judged: they count for neither. */
  leftOut: z.array(leftOutSchema).default([]),
  look: z.number().int().positive().nullable(),
  alpha: z.number().nullable(),
  slices: z.array(sliceVerdictSchema),
  lostClasses: z.array(z.string()),
  /** Compared with the candidate of the iteration before: for information only, it decides nothing. */
  previousCandidate: z.object({ gain: difference, lower: z.number(), upper: z.number() }).nullable(),
});
export type Decision = z.infer<typeof decisionSchema>;

/** The registry with `model` as its benchmark; unchanged if it is or ever was that: what was rolled back stays so. */
export function withBenchmark(
  registry: BenchmarkRegistry,
  model: RegisteredModel,
  reason: string,
  at: string,
): BenchmarkRegistry {
  if (registry.history.some((entry) => sameModel(entry.model, model))) return registry;
  return withEntry(registry, { model, at, reason });
}

/** The registry after one more change of the model in production. */
export const withEntry = (registry: BenchmarkRegistry, entry: ProductionEntry): BenchmarkRegistry => ({
  ...registry,
  model: entry.model,
  history: [...registry.history, entry],
});

/** The registry with one more look, and the number of the look among those on its test version, counted from 1. */
export function withLook(registry: BenchmarkRegistry, look: Look): { registry: BenchmarkRegistry; number: number } {
  const same = (other: Look) =>
    other.loop === look.loop && other.iteration === look.iteration && other.candidate === look.candidate;
  const onVersion = registry.looks.filter((other) => other.testVersion === look.testVersion);
  const known = onVersion.findIndex(same);
  if (known >= 0) return { registry, number: known + 1 };
  return { registry: { ...registry, looks: [...registry.looks, look] }, number: onVersion.length + 1 };
}

/**
 * The model that `candidate` has to beat: the benchmark before this candidate was promoted, so that a decision repeated
 * after a crash meets the same rival.
 */
export function rivalOf(registry: BenchmarkRegistry, candidate: RegisteredModel): RegisteredModel | null {
  const own = registry.history.findIndex((entry) => sameModel(entry.model, candidate));
  return own < 0 ? registry.model : (registry.history[own - 1]?.model ?? null);
}

/**
 * The model in production before this iteration of the loop, or a later one, was promoted: a repeated iteration is not
 * judged by its own model.
 */
export function benchmarkBefore(
  registry: BenchmarkRegistry,
  { loop, iteration }: { loop: string; iteration: number },
): RegisteredModel | null {
  const own = registry.history.findIndex(
    ({ model }) => model.loop === loop && model.iteration !== null && model.iteration >= iteration,
  );
  return own < 0 ? registry.model : (registry.history[own - 1]?.model ?? null);
}

/** Whether both are one training's model. */
export function sameModel(a: RegisteredModel, b: RegisteredModel): boolean {
  return a.digest === b.digest && a.loop === b.loop && a.iteration === b.iteration;
}

/**
 * The registry after a person approved the candidate of `decision`; unchanged if it is in production already.
 *
 * @throws PartloopError `input-invalid` if the gate asks for no approval, or if it compared with another model than the
 * one in production now
 */
export function withApproval(
  registry: BenchmarkRegistry,
  decision: Decision,
  by: string,
  at: string,
): BenchmarkRegistry {
  const { candidate, benchmark } = decision;
  if (registry.model !== null && sameModel(registry.model, candidate)) return registry;
  if (!decision.pendingApproval) {
    throw new PartloopError(
      'input-invalid',
      `the candidate does not wait for approval: the gate's result is ${decision.gate}`,
      {
        hint: 'Only a candidate that passed a gate of mode `approve` can be approved; `partloop report open` shows the reasons.',
      },
    );
  }
  const current = registry.model;
  if (current === null ? benchmark !== null : benchmark === null || !sameModel(current, benchmark)) {
    throw new PartloopError('input-invalid', 'the gate compared with another model than the one in production', {
      hint: '`partloop iteration replay … --from decide` compares with the present one.',
    });
  }
  // Also if it was rolled back before: a person asks for it again.
  return withEntry(registry, { model: candidate, at, reason: `approved by ${by}` });
}
