import type { AuditAnswer } from '../auditAnswers.js';
import { latestVerdicts, type Verdict } from '../review.js';

/** What reviewers know of labels. */
export interface Facts {
  /** Whether a label of an image is wrong; undefined if nobody has said. */
  of(imageId: string, labelSha256: string): 'wrong' | 'right' | undefined;
  /** Time of the last answer that objects to a label and that no correction followed; undefined if there is none. */
  uncorrected(imageId: string, labelSha256: string): string | undefined;
}

/**
 * Facts about labels, each for its own image alone: findings are answered because they are suspect, so they say nothing
 * of other images. A label is wrong if a finding was answered with `wrong` or `accept`, or the image of an audit sample
 * came back corrected. It is right only by an answer to the image of an audit sample: `right` says that of one finding,
 * and `unsure` says nothing. An answer about one label holds for that label, whichever scan asked. Of contradicting
 * answers the latest counts; of equal times, the one that objects.
 */
export function factsOf(verdicts: readonly Verdict[], audits: readonly AuditAnswer[]): Facts {
  const known = new Map<string, { at: string; is: 'wrong' | 'right' }>();
  const uncorrected = new Map<string, string>();
  const tell = (key: string, at: string, is: 'wrong' | 'right'): void => {
    const before = known.get(key);
    if (before === undefined || at > before.at || (at === before.at && is === 'wrong')) known.set(key, { at, is });
  };
  for (const audit of audits)
    tell(keyOf(audit.imageId, audit.labelSha256), audit.reviewedAt, audit.wrong ? 'wrong' : 'right');
  for (const { imageId, labelSha256, verdict, reviewedAt, correctedSha256 } of latestVerdicts(verdicts).values()) {
    if (verdict !== 'wrong' && verdict !== 'accept') continue;
    const key = keyOf(imageId, labelSha256);
    tell(key, reviewedAt, 'wrong');
    if (correctedSha256 === null && reviewedAt > (uncorrected.get(key) ?? '')) uncorrected.set(key, reviewedAt);
  }
  return {
    of: (imageId, labelSha256) => known.get(keyOf(imageId, labelSha256))?.is,
    uncorrected: (imageId, labelSha256) => uncorrected.get(keyOf(imageId, labelSha256)),
  };
}

const keyOf = (imageId: string, labelSha256: string): string => `${imageId} ${labelSha256}`;
