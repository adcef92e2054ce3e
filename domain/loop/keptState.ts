import { z } from 'zod';
import { knownPart, unknownPart, withUnknown } from '../base/recorded.js';
import { type Proposal, proposalSchema } from '../tune/proposal.js';
import { type IterationAttempt, iterationAttemptSchema, type LoopState, loopStateSchema } from './state.js';

const entrySchema = loopStateSchema.shape.iterations.element;

/**
 * A loop's state as it is written. It keeps fields that a later version wrote and this one does not know. Iterations
 * are matched by number, attempts by run, proposals by content.
 */
export function keptState(recorded: unknown, state: LoopState): unknown {
  if (unknownPart(loopStateSchema, recorded) === undefined) return state;
  const before = looseStateSchema.parse(recorded);
  const { iterations: entries, proposal, adopted, ...rest } = before;
  const attempts = entries.flatMap(({ current, others }) => [current, ...others]);
  const proposals = [proposal, adopted];
  const attempt = (one: IterationAttempt): unknown =>
    withUnknown(
      unknownPart(
        iterationAttemptSchema,
        attempts.find(({ runId }) => runId === one.runId),
      ),
      one,
    );
  const kept = (one: Proposal | null): unknown => {
    const same = proposals.find((other) => sameProposal(other, one));
    return withUnknown(unknownPart(proposalSchema, same), one);
  };
  const iterations = state.iterations.map((entry) => {
    const { current: _, others: __, ...own } = entries.find(({ iteration }) => iteration === entry.iteration) ?? {};
    const written = { ...entry, current: attempt(entry.current), others: entry.others.map(attempt) };
    return withUnknown(unknownPart(entrySchema, own), written);
  });
  const written = { ...state, iterations, proposal: kept(state.proposal), adopted: kept(state.adopted) };
  return withUnknown(unknownPart(loopStateSchema, rest), written);
}

const looseAttemptSchema = z.looseObject({ runId: z.string() });
const looseStateSchema = z.looseObject({
  iterations: z.array(
    z.looseObject({ iteration: z.number(), current: looseAttemptSchema, others: z.array(looseAttemptSchema) }),
  ),
  proposal: z.unknown().optional(),
  adopted: z.unknown().optional(),
});

function sameProposal(recorded: unknown, proposal: Proposal | null): boolean {
  const known = proposalSchema.safeParse(knownPart(proposalSchema, recorded));
  return known.success && JSON.stringify(known.data) === JSON.stringify(proposal);
}
