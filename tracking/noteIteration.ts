import { activityInfo } from '@temporalio/activity';
import type { RegisteredModel } from '../domain/decide/decision.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import type { TrackedAttempt } from '../domain/tracking/trackedRun.js';
import type { ActivityDeps } from '../steps/deps.js';
import { poolOf } from '../steps/pool.js';
import { digestOfTaxonomy } from '../storage/digest.js';
import { readRegistry, trainedModel } from '../storage/registry.js';
import { type TrackedEnd, type TrackedModels, type TrackedTo, trackEnd, trackModels } from './track.js';

/**
 * Note a candidate, and the model that is in production after its decision, where tracking is enabled. Never throws:
 * whoever records the iteration notes it once more, and says so if that fails too.
 */
export async function noteDecision(
  deps: ActivityDeps,
  { loop, iteration, config }: IterationContext,
  candidate: RegisteredModel,
): Promise<void> {
  const runId = workflowRunId();
  if (!config.tracking.mlflow.enabled || runId === null) return;
  const missed = await trying(async () => {
    const models = await modelsNow(deps, config.pool, candidate);
    return trackModels(trackedTo(deps, config), { loop, iteration, runId }, models);
  });
  if (missed !== null) deps.log.warn({ loop, iteration, problem: missed }, 'the decision is not noted in MLflow yet');
}

/** Note an attempt that has ended, where tracking is enabled; why it could not be noted, else null. Never throws. */
export async function noteEnd(
  deps: ActivityDeps,
  { loop, iteration, config }: IterationContext,
  runId: string,
  end: TrackedEnd,
): Promise<string | null> {
  if (!config.tracking.mlflow.enabled) return null;
  const attempt: TrackedAttempt = { loop, iteration, runId };
  const missed = await trying(async () =>
    trackEnd(trackedTo(deps, config), attempt, end, await modelsOf(deps, config.pool, attempt, end.results)),
  );
  if (missed !== null) deps.log.warn({ loop, iteration, problem: missed }, 'the iteration is not noted in MLflow');
  return missed;
}

async function trying(work: () => Promise<string | null>): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const trackedTo = ({ store }: ActivityDeps, config: IterationContext['config']): TrackedTo => ({
  config,
  storeUri: store.uri,
  environment: process.env,
});

/** null for an iteration that did not come to a decision. */
async function modelsOf(
  deps: ActivityDeps,
  pool: string,
  { loop, iteration }: TrackedAttempt,
  { train, decide }: StepResults,
): Promise<TrackedModels | null> {
  if (train === undefined || decide === undefined) return null;
  return modelsNow(deps, pool, await trainedModel(deps.store, train, { loop, iteration }));
}

async function modelsNow(deps: ActivityDeps, pool: string, candidate: RegisteredModel): Promise<TrackedModels> {
  const { taxonomy } = await poolOf(deps, pool);
  const digest = digestOfTaxonomy(taxonomy);
  return { taxonomy: { name: taxonomy.name, digest }, candidate, registry: await readRegistry(deps.store, digest) };
}

/** The run of the iteration's workflow; null outside an activity. */
function workflowRunId(): string | null {
  try {
    return activityInfo().workflowExecution?.runId ?? null;
  } catch {
    return null;
  }
}
