import { PartloopError } from '../../domain/base/errors.js';
import { iterationWorkflowId, loopWorkflowId } from '../../domain/base/ids.js';
import { decisionSchema } from '../../domain/decide/decision.js';
import { emptyLoopState, type LoopState } from '../../domain/loop/state.js';
import type { Progress } from '../../domain/progress.js';
import { modelCardSchema } from '../../domain/train/modelCard.js';
import { currentProgress, workflowsOfIteration } from '../../steering/activityProgress.js';
import { assertLoop } from '../../steering/knownLoops.js';
import { type LiveLoop, liveLoop } from '../../steering/loopClient.js';
import { loopTroubles, troubleTexts } from '../../steering/loopTroubles.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readRegistry } from '../../storage/registry.js';
import { readJson } from '../../storage/tables/json.js';
import type { TemporalLink } from './temporalLink.js';

/** What happened, and what to do. */
export interface Told {
  message: string;
  hint: string;
}

/** A loop as its page shows it. */
export interface LoopView {
  loop: string;
  /** The iterations that ended; empty if the record cannot be read. */
  record: LoopState;
  damaged: Told | null;
  /** What it is at; null if that is not known. */
  live: (LiveLoop & { activity: Progress | null; troubles: readonly string[] }) | null;
  /** Why it is not known, and so cannot be steered. */
  unreachable: Told | null;
  /** The newest iteration whose model waits for approval. */
  waiting: number | null;
  links: { loop: string; iteration: string | null } | null;
}

/**
 * A loop from its record and, if its Temporal service answers, from its workflows.
 *
 * @throws PartloopError `not-found` listing the loops, if it neither runs nor has a record
 */
export async function loopView(store: ObjectStore, temporal: TemporalLink, loop: string): Promise<LoopView> {
  const read = await orTold(readLoopState(store, loop));
  const record = 'told' in read ? emptyLoopState(loop) : read.value;
  const damaged = 'told' in read ? read.told : null;
  const asked = await orTold(
    temporal.read(async (client) => {
      const live = await liveLoop(client, store, loop, 0);
      if (!live.isOpen && record.iterations.length === 0) await assertLoop(client, store, loop);
      const { iteration } = live.status;
      const ids = iteration === null ? [] : workflowsOfIteration(loop, iteration);
      const troubles = live.isOpen ? troubleTexts(await loopTroubles(client, live.status)) : [];
      const activity = await currentProgress(client, ids);
      return { ...live, activity, troubles, namespace: client.options.namespace };
    }),
  );
  const live = 'told' in asked ? null : asked.value;
  if ('told' in asked && asked.error.code === 'not-found') throw asked.error;
  const page = (id: string): string | null =>
    temporal.uiUrl === null || live === null
      ? null
      : `${temporal.uiUrl}/namespaces/${encodeURIComponent(live.namespace)}/workflows/${encodeURIComponent(id)}`;
  const own = page(loopWorkflowId(loop));
  const iteration = live?.status.iteration ?? null;
  return {
    ...{ loop, record, damaged, live, unreachable: 'told' in asked ? asked.told : null },
    waiting: await waitingForApproval(store, record),
    links:
      own === null
        ? null
        : { loop: own, iteration: iteration === null ? null : page(iterationWorkflowId(loop, iteration)) },
  };
}

/** The newest iteration whose decision waits for approval and whose model is not in production. */
async function waitingForApproval(store: ObjectStore, { iterations }: LoopState): Promise<number | null> {
  const found = iterations.findLast(({ current }) => current.results.decide?.facts.pendingApproval === true);
  const key = found?.current.results.decide?.outputs.decision;
  if (found === undefined || key === undefined) return null;
  try {
    const { candidate } = await readJson(store, key, decisionSchema);
    const { taxonomyDigest } = await readJson(store, candidate.card, modelCardSchema);
    const { history } = await readRegistry(store, taxonomyDigest);
    return history.some(({ model }) => model.digest === candidate.digest) ? null : found.iteration;
  } catch (error) {
    // The request itself says what is wrong.
    if (error instanceof PartloopError) return found.iteration;
    throw error;
  }
}

export type Answer<T> = { value: T } | { told: Told; error: PartloopError };

/** What was asked for, or the reason why there is none, in our words. */
export async function orTold<T>(asked: Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await asked };
  } catch (error) {
    if (!(error instanceof PartloopError)) throw error;
    return { told: { message: error.message, hint: error.hint ?? '' }, error };
  }
}
