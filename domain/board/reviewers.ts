import { median } from '../base/median.js';
import { seededRandom } from '../base/random.js';
import type { Verdict } from '../review/review.js';
import { type Batch, type BoardAnswer, sizeOf } from './batch.js';
import { type Accuracy, accuracyOf } from './planted.js';

/** So many of the answered findings are shown to a second reviewer. */
const SECOND_SHARE = 0.05;

/** True for a finding that two people answer; the same ones on each server. */
export const isLookedAtTwice = (findingId: string): boolean =>
  seededRandom('board', 'second review', findingId)() < SECOND_SHARE;

/** What a reviewer did, and how it agrees with others. */
export interface ReviewerFigures {
  reviewer: string;
  answers: number;
  /** Answers by verdict. */
  verdicts: Readonly<Record<Verdict['verdict'], number>>;
  /** Median without idle time. */
  secondsPerAnswer: number | null;
  /** Images of the audit sample that it answered. */
  audits: number;
  /** How many known errors it recognised; null before the first. */
  accuracy: Accuracy | null;
  /** Hours that the open findings would take at this pace; null before the first answer. */
  hoursLeft: number | null;
  /** Findings that another person answered too, without a doubt on either side, and those answered alike. */
  shared: number;
  alike: number;
}

/** Two different answers to one finding. */
export interface Disagreement {
  findingId: string;
  first: { reviewer: string; verdict: string };
  second: { reviewer: string; verdict: string };
}

/**
 * The figures of each reviewer of a scan, and what they disagree on, by the batches that stand.
 *
 * @param open findings without an answer
 */
export function reviewerFigures(
  batches: readonly Batch[],
  open: number,
): { reviewers: ReviewerFigures[]; disagreements: Disagreement[] } {
  const standing = batches.filter(({ state }) => state !== 'replaced');
  const given = standing.flatMap(({ reviewer, answers }) => answers.map((answer) => ({ reviewer, answer })));
  const pairs = pairsOf(given);
  const names = [...new Set(standing.filter((batch) => sizeOf(batch) > 0).map(({ reviewer }) => reviewer))].sort();
  return {
    reviewers: names.map((reviewer): ReviewerFigures => {
      const own = given.filter((one) => one.reviewer === reviewer).map(({ answer }) => answer);
      const shared = pairs.filter(({ first, second }) => first.reviewer === reviewer || second.reviewer === reviewer);
      const batchesOf = standing.filter((batch) => batch.reviewer === reviewer);
      const seconds = median(own.map(({ activeMs }) => activeMs / 1_000));
      return {
        ...{ reviewer, answers: own.length, verdicts: countsOf(own), secondsPerAnswer: seconds },
        hoursLeft: seconds === null ? null : (seconds * open) / 3_600,
        audits: batchesOf.reduce((sum, { audits }) => sum + audits.length, 0),
        accuracy: accuracyOf(batchesOf.flatMap(({ planted }) => planted)),
        shared: shared.length,
        alike: shared.filter(isAlike).length,
      };
    }),
    disagreements: pairs.filter((pair) => !isAlike(pair)),
  };
}

function countsOf(answers: readonly BoardAnswer[]): ReviewerFigures['verdicts'] {
  const counts = { wrong: 0, accept: 0, right: 0, unsure: 0 };
  for (const { verdict } of answers) counts[verdict]++;
  return counts;
}

/** Findings with a first and a second answer of two people, neither of them `unsure`. */
function pairsOf(given: readonly { reviewer: string; answer: BoardAnswer }[]): Disagreement[] {
  const first = new Map<string, Disagreement['first']>();
  for (const { reviewer, answer } of given)
    if (!answer.isSecond) first.set(answer.findingId, { reviewer, verdict: answer.verdict });
  return given.flatMap(({ reviewer, answer: { findingId, verdict, isSecond } }) => {
    const before = first.get(findingId);
    if (!isSecond || before === undefined || before.reviewer === reviewer) return [];
    if (verdict === 'unsure' || before.verdict === 'unsure') return [];
    return { findingId, first: before, second: { reviewer, verdict } };
  });
}

/** Both say that the label is right, or both that it is wrong. */
const isAlike = ({ first, second }: Disagreement): boolean =>
  (first.verdict === 'right') === (second.verdict === 'right');
