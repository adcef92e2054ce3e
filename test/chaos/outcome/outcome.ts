import { z } from 'zod';
import { benchmarkRegistrySchema, decisionSchema } from '../../../domain/decide/decision.js';
import type { StepResults } from '../../../domain/steps.js';
import { findingRowSchema, sampleRowSchema } from '../../../domain/tables.js';
import { readLoopState } from '../../../storage/loopState.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { parseJson, readJson } from '../../../storage/tables/json.js';
import { readTable } from '../../../storage/tables/table.js';

/** The results, which must not depend on faults in between. Keys and times are left out: an attempt may be any. */
export interface IterationOutcome {
  iteration: number;
  /** Its picked rows. */
  sample: string;
  findings: string;
  weights: string;
  /** The gate's verdict with all its numbers. */
  decision: string;
  /** The result of the search, if there was one. */
  tune: string;
}

export interface LoopOutcome {
  iterations: IterationOutcome[];
  /** The models that were in production, in order, and the looks at the test set. */
  registry: string;
}

/** The outcome of every iteration that a loop has finished. */
export async function outcomeOf(store: ObjectStore, loop: string): Promise<LoopOutcome> {
  const { iterations } = await readLoopState(store, loop);
  const finished = iterations.filter(({ current }) => current.status === 'finished');
  return {
    iterations: await Promise.all(
      finished.map(({ iteration, current }) => iterationOutcome(store, iteration, current.results)),
    ),
    registry: await registryOf(store),
  };
}

async function iterationOutcome(
  store: ObjectStore,
  iteration: number,
  { scan, sample, train, decide, tune }: StepResults,
): Promise<IterationOutcome> {
  const rows = await readTable(store, sample?.outputs.sample ?? '', sampleRowSchema);
  const findings = await readTable(store, scan?.outputs.findings ?? '', findingRowSchema);
  const { candidate, benchmark, ...verdict } = await readJson(store, decide?.outputs.decision ?? '', decisionSchema);
  return {
    iteration,
    sample: JSON.stringify(rows),
    findings: JSON.stringify(findings),
    weights: String(train?.facts.weightsSha256),
    decision: JSON.stringify({ candidate: candidate.digest, benchmark: benchmark?.digest ?? null, ...verdict }),
    tune: JSON.stringify(Object.entries(tune?.facts ?? {}).filter(([name]) => !/seconds|hours/i.test(name))),
  };
}

async function registryOf(store: ObjectStore): Promise<string> {
  const models: unknown[] = [];
  for await (const { key } of store.list('registry/')) {
    const { body } = await store.get(key);
    const { history, looks } = parseJson(body, key, benchmarkRegistrySchema.extend({ version: z.number() }));
    models.push({ history: history.map(({ model: { digest, iteration } }) => ({ digest, iteration })), looks });
  }
  return JSON.stringify(models);
}

/** The differences of two outcomes, by name: `iteration 2: weights`. */
export function differences(calm: LoopOutcome, other: LoopOutcome): string[] {
  const found: string[] = [];
  if (calm.iterations.length !== other.iterations.length)
    found.push(`${other.iterations.length} iterations instead of ${calm.iterations.length}`);
  for (const [index, expected] of calm.iterations.entries()) {
    const got = other.iterations[index];
    if (got === undefined) continue;
    for (const name of ['sample', 'findings', 'weights', 'decision', 'tune'] as const)
      if (expected[name] !== got[name]) found.push(`iteration ${expected.iteration}: ${name}`);
  }
  if (calm.registry !== other.registry) found.push('registry');
  return found;
}
