import { PartloopError } from '../domain/base/errors.js';
import { decisionSchema } from '../domain/decide/decision.js';
import type { IterationContext } from '../domain/steps.js';
import { type EvaluationRow, evaluationRowSchema } from '../domain/tables.js';
import type { ActivityDeps } from '../steps/deps.js';
import { readJson } from '../storage/tables/json.js';
import { readTable } from '../storage/tables/table.js';
import { type Compared, changesSince } from './changes.js';
import type { Changes } from './data.js';
import type { IterationSoFar } from './iterationSoFar.js';

type Deps = Pick<ActivityDeps, 'store' | 'log'>;

/** Judged test images of the last iteration's candidate; null if there was none, or they cannot be read. */
export function lastRows(deps: Deps, { previous }: IterationContext): Promise<EvaluationRow[] | null> {
  const key = previous?.evaluate.outputs.images;
  return unlessLost(deps, key, (known) => readTable(deps.store, known, evaluationRowSchema));
}

/** What is different from the last finished iteration; null if there is none. */
export async function changesOf(
  deps: Deps,
  history: readonly IterationSoFar[],
  found: Pick<Compared, 'decision' | 'training' | 'returned'>,
): Promise<Changes | null> {
  const [last, now] = [history.at(-2), history.at(-1)];
  if (last === undefined || now === undefined) return null;
  const key = last.results.decide?.outputs.decision;
  const lastDecision = await unlessLost(deps, key, (known) => readJson(deps.store, known, decisionSchema));
  return changesSince({ last, now, lastDecision, ...found });
}

/** A report is made without what another iteration has lost. */
async function unlessLost<T>(
  { log }: Deps,
  key: string | undefined,
  read: (key: string) => Promise<T>,
): Promise<T | null> {
  if (key === undefined) return null;
  try {
    return await read(key);
  } catch (error) {
    if (!(error instanceof PartloopError) || (error.code !== 'data-invalid' && error.code !== 'not-found')) throw error;
    log.warn({ error: error.message }, 'the report is made without a result of the last iteration');
    return null;
  }
}
