import type { Estimate } from '../auditAnswers.js';
import { CONFIDENCE } from '../confidence.js';
import { leastWrong, mostWrong, type Unit } from './bound.js';
import { estimateWrong } from './estimate.js';

/** An image that a scan judged, with the chance of its draw, and what is known of its label then and now. */
export interface CertifiedImage {
  /** The scan's probability that the label was wrong. */
  probability: number;
  /** The chance with which the scan's audit sample was to contain the image, above 0 and up to 1. */
  chance: number;
  isDrawn: boolean;
  /** The judged label. */
  was: 'wrong' | 'right' | 'unknown';
  /**
   * The present label; `gone` if the image was removed, or if something other than a review replaced its label since:
   * then nothing is claimed of it.
   */
  now: 'wrong' | 'right' | 'unknown' | 'gone';
}

/** What can be claimed of a pool's labels. */
export interface Certificate {
  /** Images that the claim is about. */
  images: number;
  drawn: number;
  /** Drawn images whose judged label was answered. */
  answered: number;
  /** Labels known to be wrong now. */
  knownWrong: number;
  /** Judged labels that were wrong and are not any longer, as they were corrected, replaced or removed. */
  settled: number;
  /** At most this share of the labels is wrong now, with a probability of `CONFIDENCE`. */
  atMost: number;
  /** Share of labels that are wrong now, with an interval of that probability. */
  wrongShare: Estimate;
  /** Share of the labels that were wrong when the scans judged them which reviewers know; null if none was wrong. */
  found: Estimate | null;
}

/** Of the bound to be wrong, and of each interval by itself. */
export const RISK = 1 - CONFIDENCE;

/**
 * The certificate of images by the answers to their audit samples; null if no drawn image was answered.
 *
 * The samples bound the number of labels that were wrong when the scans judged them. The bound (`mostWrong`) holds
 * whatever the probabilities are worth; good ones make it narrow. What reviewers know then turns it into a claim about
 * the labels as they are now:
 *
 * - A wrong label that was corrected, replaced or removed since is taken off. So is none that nobody knew to be wrong.
 * - A label that a review replaced is right, unless somebody objects to the new one, or objected to the old one without
 *   a correction.
 * - An image that was removed, or whose label an import replaced, leaves the denominator, but not the sample: otherwise
 *   one could remove the wrong images that the sample has found, and the bound would fall.
 * - Each image counts once, with one scan. Samples of several scans about different images are one sample.
 * - Answers to suspect findings are facts about their own images, and are no part of the sample.
 * - A drawn image without an answer counts as wrong for the upper end, as right for the lower end, and not at all for
 *   the estimate: whoever answers the easy ones first gains nothing.
 */
export function certify(images: readonly CertifiedImage[]): Certificate | null {
  const units = images.map(toUnit);
  const drawn = units.filter(({ answer }) => answer !== null);
  const answered = drawn.filter(({ answer }) => answer !== 'open').length;
  if (answered === 0) return null;

  const count = (holds: (image: CertifiedImage) => boolean): number => images.filter(holds).length;
  const knownThen = count(({ was }) => was === 'wrong');
  const rightThen = count(({ was }) => was === 'right');
  const present = count(({ now }) => now !== 'gone');
  const change: Change = {
    present,
    knownWrong: count(({ now }) => now === 'wrong'),
    knownRight: count(({ now }) => now === 'right'),
    settled: count(({ was, now }) => was === 'wrong' && (now === 'right' || now === 'gone')),
    worsened: count(({ was, now }) => was === 'right' && now === 'wrong'),
    perhapsSettled: count(({ was, now }) => was !== 'right' && (now === 'right' || now === 'gone')),
  };
  const between = (value: number): number => Math.min(images.length - rightThen, Math.max(knownThen, value));
  const upper = between(mostWrong(units, RISK / 2));
  const lower = between(leastWrong(units, RISK / 2));
  const estimate = Math.min(upper, Math.max(lower, between(estimateWrong(units))));
  const share = (wrong: number): number => (present === 0 ? 0 : wrong / present);
  const low = share(leastNow(lower, change));
  const high = share(mostNow(upper, change));
  return {
    ...{ images: present, drawn: drawn.length, answered, knownWrong: change.knownWrong, settled: change.settled },
    atMost: share(mostNow(between(mostWrong(units, RISK)), change)),
    wrongShare: { low, value: Math.min(high, Math.max(low, share(mostNow(estimate, change)))), high },
    found:
      estimate === 0
        ? null
        : { low: knownThen / upper, value: knownThen / estimate, high: knownThen / Math.max(1, lower) },
  };
}

/** What became of the judged labels since. */
interface Change {
  present: number;
  knownWrong: number;
  knownRight: number;
  settled: number;
  worsened: number;
  perhapsSettled: number;
}

const mostNow = (then: number, { present, knownWrong, knownRight, settled, worsened }: Change): number =>
  Math.max(knownWrong, Math.min(present - knownRight, then - settled + worsened));

const leastNow = (then: number, { knownWrong, perhapsSettled }: Change): number =>
  Math.max(knownWrong, then - perhapsSettled);

export function toUnit({ probability, chance, isDrawn, was }: CertifiedImage): Unit {
  return { probability, chance, answer: isDrawn ? (was === 'unknown' ? 'open' : was) : null };
}
