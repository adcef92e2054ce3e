import { auditChances } from '../../scan/verdict/auditSample.js';
import { evenly } from './bets.js';
import { expectedMostWrong } from './bound.js';
import { type Certificate, type CertifiedImage, RISK, toUnit } from './certificate.js';
import { fitToAnswers } from './estimate.js';
import { BETS } from './thresholds.js';

/** Reviews that would bring the bound of a certificate below a share, each kind by itself; null: no number would. */
export interface FurtherReviews {
  /** The wanted bound, as a share of the labels. */
  below: number;
  /** Drawn images without an answer, which count as wrong until then. */
  open: number;
  /** About so many of the most suspect labels, each corrected if it is wrong. 0 if the bound is below already. */
  suspects: number | null;
  /** About the size of an audit sample that a new scan would need. 0 if the bound is below already. */
  audit: number | null;
}

/** The least ratio of two sizes that are told apart: numbers that are expected by a model are no better than that. */
const STEP = 1.1;

/**
 * How many reviews it would take, if the scan's probabilities, fitted to the answers, were true.
 *
 * @param below share of the labels, above 0 and below 1
 */
export function furtherReviews(
  images: readonly CertifiedImage[],
  certificate: Certificate,
  below: number,
): FurtherReviews {
  const open = certificate.drawn - certificate.answered;
  if (certificate.atMost < below) return { below, open, suspects: 0, audit: 0 };
  const probabilityOf = fitToAnswers(images.map(toUnit));
  const present = images.flatMap((image) => {
    if (image.now === 'gone') return [];
    const isWrong = image.now === 'unknown' ? probabilityOf(image.probability) : image.now === 'wrong' ? 1 : 0;
    return [{ ...image, isWrong }];
  });
  return {
    below,
    open,
    suspects: suspectsNeeded(present, certificate, below),
    audit: auditNeeded(present, certificate, below),
  };
}

interface Guessed extends CertifiedImage {
  isWrong: number;
}

function suspectsNeeded(present: readonly Guessed[], { atMost, images }: Certificate, below: number): number | null {
  const suspects = present.map(({ isWrong }) => isWrong).sort((a, b) => b - a);
  let excess = (atMost - below) * images;
  for (const [index, isWrong] of suspects.entries()) {
    excess -= isWrong;
    if (excess < 0) return index + 1;
  }
  return null;
}

/** A few images stand for all of them. */
function auditNeeded(present: readonly Guessed[], { drawn }: Certificate, below: number): number | null {
  const few = evenly(present, BETS.planned);
  const each = present.length / few.length;
  for (let size = Math.ceil(drawn * STEP); size <= present.length; size = Math.ceil(size * STEP)) {
    const chances = auditChances(
      few.map(({ probability }) => probability),
      size / each,
    );
    const units = few.map(({ probability, isWrong }, at) => ({ probability, isWrong, chance: chances[at] as number }));
    if (expectedMostWrong(units, { each, risk: RISK }) < below * present.length) return size;
  }
  return null;
}
