import { createHash } from 'node:crypto';
import { leastAnswers, MAY_DROP_OUT, passedStrata } from '../../../domain/review/propagate/bound.js';
import { MOST_ASKED } from '../../../domain/review/propagate/limits.js';
import { claimOf, type Round, type Stratum } from '../../../domain/review/propagate/round.js';
import { PROPAGATE, type Propagation, type ReviewImport } from '../../../domain/review/reviewImport.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { appendReviews } from '../../../storage/reviews.js';
import { newestRound } from '../../../storage/rounds.js';
import { ulid } from '../../../storage/ulid.js';
import { openQuestions } from './ask.js';
import { type Correction, type CorrectionGroup, groupCorrections } from './groups.js';
import { propagations, readProposals, type ScanProposals } from './proposals.js';
import { type NotApplied, writeCorrections } from './write.js';

export interface PropagateRequest {
  pool: string;
  /** A scan of the pool; null for its newest. */
  scan: string | null;
  /** Write the corrections; false only says what they would be. */
  apply: boolean;
  now: Date;
}

export interface PropagateReport {
  pool: string;
  scan: string;
  /** The newest draw of the scan; null if there is none. */
  round: { id: string; number: number; alpha: number; confidence: number; at: string } | null;
  /** Findings drawn in it, those that were answered, and those whose proposal was accepted. */
  asked: number;
  answered: number;
  accepted: number;
  /** Drawn findings that still can be answered. */
  openQuestions: number;
  /** Proposals that may follow from the answers. */
  proposals: number;
  /** Those that do, by kind and classes. */
  groups: CorrectionGroup[];
  corrections: number;
  /** Why nothing follows; null if something does. */
  reason: 'not asked' | 'too few answers' | 'bound not met' | 'too many dropped out' | 'nothing left' | null;
  /** Least number of further answers, all accepted, with which a new draw would pass; null if none would. */
  answersNeeded: number | null;
  /** The review import that wrote the corrections; null if none did. */
  review: string | null;
  /** The pool's version afterwards. */
  version: number;
  /** Labels with a new revision by this call. */
  revised: number;
  /** Corrections that were not made by this call, with the reason. */
  notApplied: NotApplied[];
}

/**
 * The corrections that follow from reviewers' answers to the newest draw of a scan, applied if asked. The import's
 * record, with everything that the corrections rest on, is written before the labels: a call that died goes on with it.
 * A second call changes nothing; `undoReview` takes the import back.
 */
export async function propagate(store: ObjectStore, request: PropagateRequest): Promise<PropagateReport> {
  const known = await readProposals(store, request.pool, request.scan);
  const { pool, scan } = known;
  const round = await newestRound(store, pool.name, scan.id);
  const nothing: PropagateReport = {
    ...{ pool: pool.name, scan: scan.id, round: null, asked: 0, answered: 0, accepted: 0, openQuestions: 0 },
    ...{ proposals: 0, groups: [], corrections: 0, reason: 'not asked', answersNeeded: null, review: null },
    ...{ version: await pool.latestVersion(), revised: 0, notApplied: [] },
  };
  if (round === null) return nothing;
  const { corrections, ...outcome } = decide(round, known);
  const before = propagations(known.reviews).find(({ about }) => about?.propagation?.round === round.id);
  const planned = before === undefined ? corrections : plannedBy(before.about?.propagation, known);
  const report: PropagateReport = {
    ...nothing,
    ...outcome,
    ...(before === undefined ? {} : { reason: null }),
    groups: groupCorrections(planned, pool.taxonomy),
    corrections: planned.length,
    review: before?.id ?? null,
  };
  if (!request.apply || planned.length === 0) return report;
  const review = before?.id ?? ulid(request.now);
  if (before === undefined)
    await appendReviews(store, pool.name, review, recordOf(round, known, corrections, request.now), []);
  return { ...report, review, ...(await writeCorrections(store, known, review, planned, request.now)) };
}

/** What follows from the answers of a round so far. Unanswered ones count as harmful. */
export function decide(
  round: Round,
  known: ScanProposals,
): Pick<
  PropagateReport,
  'round' | 'asked' | 'answered' | 'accepted' | 'openQuestions' | 'proposals' | 'reason' | 'answersNeeded'
> & { corrections: Correction[] } {
  const { strata, id, number, alpha, confidence, at } = round;
  const { answers } = known;
  const isAccepted = ({ drawn }: Stratum): boolean => answers.get(drawn)?.verdict === 'accept';
  const claim = claimOf(round);
  const sizes = strata.map(({ proposals }) => proposals.length);
  const passed = passedStrata({ sizes, harmful: strata.map((one) => !isAccepted(one)) }, claim);
  const set = strata
    .slice(0, passed)
    .flatMap(({ drawn, proposals }) => proposals.filter((one) => one.findingId !== drawn));
  const corrections = set.flatMap(({ findingId, score }): Correction[] => {
    const finding = known.proposals.get(findingId);
    return finding !== undefined && !answers.has(findingId) && known.fate(finding) === 'open'
      ? [{ finding, score }]
      : [];
  });
  const answered = strata.filter(({ drawn }) => answers.has(drawn)).length;
  const proposals = sizes.reduce((sum, size) => sum + size - 1, 0);
  const isBounded = corrections.length >= (1 - MAY_DROP_OUT) * set.length;
  const open = openQuestions(round, known).length;
  const next = claimOf({ ...round, number: number + 1 });
  const unmet = open > 0 ? 'too few answers' : 'bound not met';
  return {
    round: { id, number, alpha, confidence, at },
    ...{ asked: strata.length, answered, accepted: strata.filter(isAccepted).length, openQuestions: open, proposals },
    corrections: isBounded ? corrections : [],
    reason:
      passed === 0 ? unmet : !isBounded ? 'too many dropped out' : corrections.length === 0 ? 'nothing left' : null,
    answersNeeded: passed > 0 ? null : leastAnswers(proposals, next, MOST_ASKED),
  };
}

/** The corrections of an import's record, as far as the scan's table still has them. */
export function plannedBy(plan: Propagation | undefined, { proposals }: ScanProposals): Correction[] {
  return (plan?.corrections ?? []).flatMap(({ findingId, score }) => {
    const finding = proposals.get(findingId);
    return finding === undefined ? [] : [{ finding, score }];
  });
}

/** The record of an import of corrections: the draw, the answers, the bound, and each correction with its score. */
export function recordOf(
  round: Round,
  { scan, answers }: Pick<ScanProposals, 'scan' | 'answers'>,
  corrections: readonly Correction[],
  now: Date,
  by?: Propagation['by'],
): ReviewImport {
  const { id, number, alpha, confidence } = round;
  return {
    ...{ type: 'import', at: now.toISOString(), reviewer: PROPAGATE, scan: scan.id, exportId: null },
    tableSha256: createHash('sha256').update(JSON.stringify(round)).digest('hex'),
    asked: [],
    propagation: {
      ...{ round: id, number, alpha, confidence },
      ...(by === undefined ? {} : { by }),
      answers: round.strata.map(({ drawn }) => ({ findingId: drawn, verdict: answers.get(drawn)?.verdict ?? 'none' })),
      corrections: corrections.map(({ finding, score }) => ({
        ...{ findingId: finding.findingId, imageId: finding.imageId, score },
      })),
    },
  };
}
