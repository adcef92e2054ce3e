import { type Coefficients, fitLogistic, logit, sigmoid } from './logistic.js';

const ROUNDS = 10;
const PRIOR_STEPS = 200;
const MOST_ROWS = 20_000;

/** A detector of wrong things: P(wrong | x) = sigmoid(w · x + logOdds). */
export interface Mixture {
  coefficients: number[];
  /** log of the estimated number of wrong among the unknown over that of right ones. */
  logOdds: number;
  /** Estimated share of images that have such an error. */
  prevalence: number;
}

export interface MixtureOptions {
  /** Coefficients the fit starts from and is pulled to; they are log likelihood ratios. */
  prior: Coefficients;
  ridge: number;
  /** Images that the unknown rows come from. */
  images: number;
  /** Injected rows an image has when it is spoiled: rows / copies. */
  perSpoiled: number;
  /** Share of wrong images expected before looking, and how many images that expectation is worth. */
  expected: number;
  strength: number;
}

/**
 * Learns from injected errors (`wrong`) and from what the scan found as it is (`unknown`, mostly right). Logistic regression of
 * one against the other gives the likelihood ratio. How many of the unknown are wrong follows by expectation maximisation
 * (Saerens et al. 2002, Neural Computation 14), anchored by rates: a spoiled image has `perSpoiled` such rows, so that rows
 * which are no more frequent than errors would make them are taken for errors even where no right one is there to
 * compare. Then those that look wrong lose their weight as examples of right ones, and again.
 */
export function fitMixture(
  wrong: readonly (readonly number[])[],
  unknown: readonly (readonly number[])[],
  options: MixtureOptions,
): Mixture {
  const positives = thin(wrong);
  const negatives = thin(unknown);
  const share = unknown.length === 0 ? 1 : negatives.length / unknown.length;
  const rows = [...positives, ...negatives];
  const targets = [...positives.map(() => 1), ...negatives.map(() => 0)];
  let coefficients = [...options.prior];
  let posteriors = negatives.map(() => 0);
  for (let round = 0; round < ROUNDS && positives.length > 0 && negatives.length > 0; round++) {
    const right = posteriors.reduce((sum, p) => sum + 1 - p, 0);
    // Both sides weigh the same, and never more than what there is: a handful of right ones must not outvote the prior.
    const total = Math.min(positives.length, right);
    const weights = [
      ...positives.map(() => total / positives.length),
      ...posteriors.map((p) => (right > 0 ? ((1 - p) * total) / right : 0)),
    ];
    coefficients = fitLogistic(rows, targets, weights, options.prior, options.ridge);
    const ratios = negatives.map((row) => logit(coefficients, row));
    const { logOdds } = anchor(ratios, share, options);
    posteriors = ratios.map((ratio) => sigmoid(ratio + logOdds));
  }
  return {
    coefficients,
    ...anchor(
      negatives.map((row) => logit(coefficients, row)),
      share,
      options,
    ),
  };
}

export function probabilityWrong(mixture: Mixture, features: readonly number[]): number {
  return sigmoid(logit(mixture.coefficients, features) + mixture.logOdds);
}

/** Expectation maximisation of the prevalence for given log likelihood ratios, a `share` of all unknown rows. */
function anchor(
  logRatios: readonly number[],
  share: number,
  options: MixtureOptions,
): { prevalence: number; logOdds: number } {
  const { expected, strength, perSpoiled } = options;
  const exposure = Math.max(1e-6, perSpoiled * options.images * share);
  const pseudo = perSpoiled * strength * share;
  let prevalence = expected;
  let right = Math.max(1, logRatios.length - expected * exposure);
  for (let step = 0; step < PRIOR_STEPS; step++) {
    const offset = Math.log((prevalence * exposure) / right);
    let sum = 0;
    for (const ratio of logRatios) sum += sigmoid(ratio + offset);
    const next = Math.min(0.6, Math.max(0.002, (sum + expected * pseudo) / (exposure + pseudo)));
    const nextRight = Math.max(0.5, logRatios.length - sum);
    const settled = Math.abs(next - prevalence) < 1e-7 && Math.abs(nextRight - right) < 1e-6 * right;
    prevalence = next;
    right = nextRight;
    if (settled) break;
  }
  return { prevalence, logOdds: Math.log((prevalence * exposure) / right) };
}

/** At most 20,000 rows, evenly spread: enough for a dozen coefficients. */
function thin<T>(rows: readonly T[]): T[] {
  if (rows.length <= MOST_ROWS) return [...rows];
  return Array.from({ length: MOST_ROWS }, (_, index) => rows[Math.floor((index * rows.length) / MOST_ROWS)] as T);
}
