import { type Coefficients, fitLogistic, logit, sigmoid } from './logistic.js';

const ROUNDS = 10;
const PRIOR_STEPS = 200;
const MOST_ROWS = 20_000;

/** A detector of wrong things and how common they are: P(wrong | x) = sigmoid(w · x + log(prevalence / (1 - prevalence))). */
export interface Mixture {
  coefficients: number[];
  prevalence: number;
}

export interface MixtureOptions {
  /** Coefficients the fit starts from and is pulled to. */
  prior: Coefficients;
  ridge: number;
  /** Prevalence expected before looking, and how many observations that expectation is worth. */
  expected: number;
  strength: number;
}

/**
 * Learns from injected errors (`wrong`) and from what the scan found as it is (`unknown`, mostly right): logistic regression
 * of one against the other gives the likelihood ratio; expectation maximisation gives the prevalence among the unknown
 * (Saerens et al. 2002, Neural Computation 14); then those that look wrong lose their weight as examples of right ones, and
 * again. So the unlabelled errors neither spoil the examples nor have to be known.
 */
export function fitMixture(wrong: readonly (readonly number[])[], unknown: readonly (readonly number[])[], options: MixtureOptions): Mixture {
  const positives = thin(wrong);
  const negatives = thin(unknown);
  const rows = [...positives, ...negatives];
  const targets = [...positives.map(() => 1), ...negatives.map(() => 0)];
  let coefficients = [...options.prior];
  let prevalence = options.expected;
  let posteriors = negatives.map((row) => probabilityWrong({ coefficients, prevalence }, row));
  for (let round = 0; round < ROUNDS; round++) {
    if (positives.length > 0 && negatives.length > 0) {
      const right = posteriors.reduce((sum, p) => sum + 1 - p, 0);
      const scale = right > 0 ? positives.length / right : 0;
      coefficients = fitLogistic(rows, targets, [...positives.map(() => 1), ...posteriors.map((p) => (1 - p) * scale)], options.prior, options.ridge);
    }
    const ratios = negatives.map((row) => logit(coefficients, row));
    prevalence = estimatePrevalence(ratios, options);
    posteriors = ratios.map((ratio) => sigmoid(ratio + Math.log(prevalence / (1 - prevalence))));
  }
  return { coefficients, prevalence };
}

export function probabilityWrong(mixture: Mixture, features: readonly number[]): number {
  return sigmoid(logit(mixture.coefficients, features) + Math.log(mixture.prevalence / (1 - mixture.prevalence)));
}

function estimatePrevalence(logRatios: readonly number[], { expected, strength }: MixtureOptions): number {
  let prevalence = expected;
  for (let step = 0; step < PRIOR_STEPS; step++) {
    const offset = Math.log(prevalence / (1 - prevalence));
    let sum = expected * strength;
    for (const ratio of logRatios) sum += sigmoid(ratio + offset);
    const next = Math.min(0.6, Math.max(0.002, sum / (logRatios.length + strength)));
    if (Math.abs(next - prevalence) < 1e-7) return next;
    prevalence = next;
  }
  return prevalence;
}

/** At most 20,000 rows, evenly spread: enough for a dozen coefficients. */
function thin<T>(rows: readonly T[]): T[] {
  if (rows.length <= MOST_ROWS) return [...rows];
  return Array.from({ length: MOST_ROWS }, (_, index) => rows[Math.floor((index * rows.length) / MOST_ROWS)] as T);
}
