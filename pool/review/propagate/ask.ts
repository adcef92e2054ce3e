import { PartloopError } from '../../../domain/base/errors.js';
import { CONFIDENCE } from '../../../domain/review/confidence.js';
import { firstTested, stratumSizes } from '../../../domain/review/propagate/bound.js';
import { claimOf, drawStrata, type RankedProposal, type Round } from '../../../domain/review/propagate/round.js';
import { learnScore, type Taught } from '../../../domain/review/propagate/score.js';
import type { FindingRow } from '../../../domain/tables.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { addRound, newestRound } from '../../../storage/rounds.js';
import { ulid } from '../../../storage/ulid.js';
import { type ProposingScan, propagations, readProposals, type ScanProposals, scoredOf } from './proposals.js';

export interface AskRequest {
  pool: string;
  /** A scan of the pool; null for its newest. */
  scan: ProposingScan | string | null;
  /** Findings to draw. */
  answers: number;
  /** Largest share of harmful corrections. */
  alpha: number;
  /** Least `pModel` of the proposals. */
  from: number;
  now: Date;
  /** A scan draws by itself: only if so many answers, all accepted, would be enough for corrections. */
  unattended?: true;
}

/** The findings that reviewers are asked about. */
export interface Asked {
  round: Round;
  /** The round was drawn earlier and still has open questions; nothing new was drawn. */
  isEarlier: boolean;
  /** Its drawn findings without an answer. */
  findings: FindingRow[];
  /** Proposals that may be corrected by the answers. */
  proposals: number;
}

/**
 * Draw findings for reviewers from the open proposals of a scan. A round with open questions comes first: its questions
 * are given again.
 *
 * @throws PartloopError `input-invalid` if no proposal is open, `store-conflict` if somebody else draws at this moment
 */
export async function ask(store: ObjectStore, request: AskRequest): Promise<Asked> {
  const known = await readProposals(store, request.pool, request.scan);
  const { pool, scan } = known;
  const earlier = await newestRound(store, pool.name, scan.id);
  const questions = earlier === null ? [] : openQuestions(earlier, known);
  if (earlier !== null && questions.length > 0)
    return { round: earlier, isEarlier: true, findings: questions, proposals: proposalsOf(earlier) };
  const { ranked, taught } = rank(known, request.from);
  if (ranked.length === 0)
    throw new PartloopError(
      'input-invalid',
      `scan ${scan.id} has no open proposal with a probability of at least ${request.from}`,
      { hint: 'Lower --from, or name another scan with --scan.' },
    );
  const { alpha, unattended } = request;
  const sizes = stratumSizes(ranked.length, Math.min(request.answers, ranked.length));
  if (unattended && firstTested(sizes, claimOf({ number: 1, alpha, confidence: CONFIDENCE })) === null)
    throw new PartloopError('input-invalid', `scan ${scan.id} has too few open proposals for a bound of ${alpha}`);
  const id = ulid(request.now);
  const round: Round = {
    ...{ version: 1, id, pool: pool.name, scan: scan.id, number: (earlier?.number ?? 0) + 1 },
    ...{ at: request.now.toISOString(), alpha: request.alpha, confidence: CONFIDENCE, from: request.from, taught },
    ...(unattended ? { unattended } : {}),
    strata: drawStrata(ranked, request.answers, id),
  };
  if ((await addRound(store, round)) === 'exists')
    throw new PartloopError('store-conflict', `somebody else drew findings of scan ${scan.id} at this moment`, {
      hint: 'Run the command again: it gives the findings that were drawn.',
    });
  return { round, isEarlier: false, findings: openQuestions(round, known), proposals: proposalsOf(round) };
}

/** Drawn findings that nobody answered although they can be answered. */
export function openQuestions({ strata }: Round, { proposals, answers, fate }: ScanProposals): FindingRow[] {
  return strata.flatMap(({ drawn }) => {
    const finding = proposals.get(drawn);
    return finding !== undefined && !answers.has(drawn) && fate(finding) === 'open' ? [finding] : [];
  });
}

/** Proposals of a round that nobody was asked about. */
export const proposalsOf = ({ strata }: Round): number =>
  strata.reduce((sum, { proposals }) => sum + proposals.length - 1, 0);

function rank(known: ScanProposals, from: number): { ranked: RankedProposal[]; taught: number } {
  const { proposals, answers, fate, reviews } = known;
  const applied = new Set(
    propagations(reviews).flatMap(({ about }) => about?.propagation?.corrections.map((one) => one.findingId) ?? []),
  );
  const open = [...proposals.values()].filter(
    (finding) =>
      finding.pModel >= from &&
      !answers.has(finding.findingId) &&
      !applied.has(finding.findingId) &&
      fate(finding) === 'open',
  );
  const lessons = taughtBy(known);
  const scored = open.map((finding) => ({ findingId: finding.findingId, scored: scoredOf(finding) }));
  const score = learnScore(
    lessons,
    scored.map((one) => one.scored),
  );
  const ranked = scored.map((one) => ({ findingId: one.findingId, score: score(one.scored) }));
  return { ranked, taught: lessons.length };
}

/** Earlier answers to proposals; those of other scans come without evidence. */
function taughtBy({ answers, proposals }: ScanProposals): Taught[] {
  return [...answers.values()].flatMap((verdict): Taught[] => {
    if (verdict.verdict === 'unsure' || verdict.suggestedClassId === null) return [];
    const { kind, classId, suggestedClassId, pModel } = verdict;
    const own = proposals.get(verdict.findingId);
    const evidence = own === undefined ? {} : scoredOf(own).evidence;
    return [{ kind, classId, suggestedClassId, pModel, evidence, accepted: verdict.verdict === 'accept' }];
  });
}
