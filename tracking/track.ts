import { PartloopError } from '../domain/base/errors.js';
import type { LoopConfig } from '../domain/config.js';
import type { BenchmarkRegistry, RegisteredModel } from '../domain/decide/decision.js';
import type { StepResults } from '../domain/steps.js';
import { datasetsOf, metricsOf, paramsOf, type TrackedAttempt, tagsOf } from '../domain/tracking/trackedRun.js';
import { mlflowAddress } from './mlflow/address.js';
import { MlflowApi, MlflowError } from './mlflow/api.js';
import { ensureVersion, setChampion } from './mlflow/models.js';
import { ensureRun, finishRun } from './mlflow/runs.js';

/** With a webhook that hangs too, recording an iteration still ends before a worker that stops is forced to. */
const WHOLE_MS = 20_000;

export interface TrackedTo {
  config: LoopConfig;
  /** Where keys of the store are, as an `s3://` URI. */
  storeUri: string;
  environment: Readonly<Record<string, string | undefined>>;
}

/** An iteration's models: what it trained, if it came so far, and what is in production now. */
export interface TrackedModels {
  taxonomy: { name: string; digest: string };
  candidate: RegisteredModel | null;
  registry: BenchmarkRegistry;
}

/** The end of an attempt. */
export interface TrackedEnd {
  results: StepResults;
  status: 'finished' | 'failed';
  error: string | null;
}

/**
 * Note an iteration's model, and which model is in production. `attempt`: the iteration that runs, or null for a person
 * who approves.
 *
 * @returns why it could not be noted; null if it is, or if tracking is off
 */
export function trackModels(
  to: TrackedTo,
  attempt: TrackedAttempt | null,
  models: TrackedModels,
): Promise<string | null> {
  return safely(to, async (api) => {
    const run = attempt === null ? null : await ensureRun(api, to.config.tracking.mlflow.experiment, attempt);
    await noteModels(api, to, models, run?.id ?? null);
  });
}

/** Note all of an attempt that has ended; noting it twice changes nothing more. @returns as `trackModels` */
export function trackEnd(
  to: TrackedTo,
  attempt: TrackedAttempt,
  { results, status, error }: TrackedEnd,
  models: TrackedModels | null,
): Promise<string | null> {
  const { config, storeUri } = to;
  return safely(to, async (api) => {
    const run = await ensureRun(api, config.tracking.mlflow.experiment, attempt);
    if (models !== null) await noteModels(api, to, models, run.id);
    if (run.isOver) return;
    const content = {
      params: paramsOf(config),
      metrics: metricsOf(results, attempt.iteration),
      tags: tagsOf(attempt, { results, error, storeUri }),
      datasets: datasetsOf({ pool: config.pool, results, storeUri }),
    };
    await finishRun(api, run.id, content, status === 'finished' ? 'FINISHED' : 'FAILED');
  });
}

/** By the registry, not by one gate: an old iteration that is noted again moves nothing back. */
async function noteModels(
  api: MlflowApi,
  { storeUri }: TrackedTo,
  { taxonomy, candidate, registry }: TrackedModels,
  runId: string | null,
): Promise<void> {
  const name = `${taxonomy.name}-${taxonomy.digest.slice(0, 8)}`;
  const tracked = (model: RegisteredModel, of: string | null) => ({
    ...{ model, runId: of },
    source: `${storeUri}/${model.scan.slice(0, model.scan.lastIndexOf('/'))}`,
  });
  if (candidate !== null) await ensureVersion(api, name, tracked(candidate, runId));
  if (registry.model !== null)
    await setChampion(api, name, await ensureVersion(api, name, tracked(registry.model, null)));
}

/** A server of others is never a reason for which an iteration fails. */
async function safely(
  { config, environment }: TrackedTo,
  work: (api: MlflowApi) => Promise<void>,
): Promise<string | null> {
  const { mlflow } = config.tracking;
  if (!mlflow.enabled) return null;
  try {
    await work(new MlflowApi(mlflowAddress(mlflow, environment), AbortSignal.timeout(WHOLE_MS)));
    return null;
  } catch (error) {
    if (error instanceof PartloopError) return `${error.message}. ${error.hint ?? ''}`.trim();
    if (error instanceof MlflowError) return `MLflow at ${error.message}`;
    return error instanceof Error ? error.message : String(error);
  }
}
