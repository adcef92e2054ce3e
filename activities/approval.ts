import type { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import { decisionSchema, withApproval } from '../domain/decide/decision.js';
import type { Approval, approveIterationSchema } from '../domain/messages.js';
import { modelCardSchema } from '../domain/train/modelCard.js';
import { recordedIteration } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { updateRegistry } from '../storage/registry.js';
import { readJson } from '../storage/tables/json.js';
import { noteApproval } from '../tracking/noteApproval.js';

type Asked = z.output<typeof approveIterationSchema> & { loop: string };

/**
 * Put the candidate of a recorded iteration into production, as a person asks for it. Asking twice changes nothing more
 * and gives the same answer.
 *
 * @throws PartloopError `not-found` without such an iteration or without its decision, `input-invalid` if the candidate
 * waits for no approval, or if it was compared with a model that is no longer in production
 */
export async function approveIteration(
  { store }: { store: ObjectStore },
  { loop, iteration, by }: Asked,
): Promise<Approval> {
  const found = await recordedIteration(store, loop, iteration);
  const key = found.current.results.decide?.outputs.decision;
  if (key === undefined) {
    throw new PartloopError('not-found', `iteration ${found.iteration} of loop \`${loop}\` has no decision yet`, {
      hint: `\`partloop iteration show ${loop} ${found.iteration}\` shows how far it got.`,
    });
  }
  const decision = await readJson(store, key, decisionSchema);
  const { taxonomyDigest } = await readJson(store, decision.candidate.card, modelCardSchema);
  const registry = await updateRegistry(store, taxonomyDigest, (before) =>
    withApproval(before, decision, by, new Date().toISOString()),
  );
  const inProduction = registry.history.at(-1);
  if (inProduction === undefined) throw new PartloopError('internal', 'the registry has no model after an approval');
  const untold = await noteApproval(store, found.current.config, registry);
  return { loop, iteration: found.iteration, ...inProduction, untold };
}
