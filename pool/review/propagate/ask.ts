import { counted } from '../../../domain/base/counted.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { CONFIDENCE } from '../../../domain/review/confidence.js';
import { type Claim, firstTested, leastAnswers, stratumSizes } from '../../../domain/review/propagate/bound.js';
import { MOST_ASKED } from '../../../domain/review/propagate/limits.js';
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
  /** A scan draws by itself. */
  unattended?: true;
}

/** No proposal is open, or no answers could lead to corrections. */
export class NothingToAsk extends PartloopError {}

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
 * @throws NothingToAsk `input-invalid` if no proposal is open, or if no answers could lead to corrections
 * @throws PartloopError `store-conflict` if somebody else draws at this moment
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
    throw new NothingToAsk(
      'input-invalid',
      `scan ${scan.id} has no open proposal with a probability of at least ${request.from}`,
      { hint: 'Lower --from, or name another scan with --scan.' },
    );
  const number = (earlier?.number ?? 0) + 1;
  const { alpha, unattended } = request;
  refuseInVain(ranked.length, request.answers, claimOf({ number, alpha, confidence: CONFIDENCE }));
  const id = ulid(request.now);
  const round: Round = {
    ...{ version: 1, id, pool: pool.name, scan: scan.id, number },
    ...{ at: request.now.toISOString(), alpha, confidence: CONFIDENCE, from: request.from, taught },
    ...(unattended ? { unattended } : {}),
    strata: drawStrata(ranked, request.answers, id),
  };
  if ((await addRound(store, round)) === 'exists')
    throw new PartloopError('store-conflict', `somebody else drew findings of scan ${scan.id} at this moment`, {
      hint: 'Run the command again: it gives the findings that were drawn.',
    });
  return { round, isEarlier: false, findings: openQuestions(round, known), proposals: proposalsOf(round) };
}

/** Reviewers shall not answer questions from which nothing can follow, even if they accept every proposal. */
function refuseInVain(proposals: number, asked: number, claim: Claim): void {
  if (firstTested(stratumSizes(proposals, Math.min(asked, proposals)), claim) !== null) return;
  const needed = leastAnswers(proposals, claim, MOST_ASKED);
  const open = counted(proposals, 'open proposal', 'open proposals');
  throw new NothingToAsk(
    'input-invalid',
    `${counted(asked, 'answer', 'answers')} to ${open} cannot show that at most a share of ${claim.alpha} is harmful, even if all are \`accept\``,
    {
      hint:
        needed === null
          ? 'No number of answers would do. Raise --alpha, lower --from, or review all of them: `partloop scan export` writes them.'
          : `Draw at least ${needed}: \`--ask ${needed}\`.`,
    },
  );
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
