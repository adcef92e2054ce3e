import { LOGISTIC } from '../thresholds.js';

/** Logistic regression with an intercept as its first feature (callers put a 1 there). */
export type Coefficients = readonly number[];

/** w · x. */
export function logit(coefficients: Coefficients, features: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < coefficients.length; index++)
    sum += (coefficients[index] as number) * (features[index] as number);
  return sum;
}

export function sigmoid(value: number): number {
  return value >= 0 ? 1 / (1 + Math.exp(-value)) : Math.exp(value) / (1 + Math.exp(value));
}

/** Log odds of a probability, which counts as no nearer to 0 or 1 than `bound`. */
export function logOdds(probability: number, bound: number): number {
  const bounded = Math.min(1 - bound, Math.max(bound, probability));
  return Math.log(bounded / (1 - bounded));
}

/**
 * Weighted logistic regression by Newton's method (IRLS), with a Gaussian prior of precision `ridge` around `prior`:
 * with few observations the answer is near the prior, with many it follows the data. Deterministic.
 */
export function fitLogistic(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  weights: readonly number[],
  prior: Coefficients,
  ridge: number,
): number[] {
  const { newtonSteps, leastCurve, leastStep, leastGain } = LOGISTIC;
  const size = prior.length;
  let current = [...prior];
  let loss = objective(rows, targets, weights, prior, ridge, current);
  for (let step = 0; step < newtonSteps; step++) {
    const gradient = current.map((value, index) => ridge * (value - (prior[index] as number)));
    const hessian = Array.from({ length: size }, (_, row) =>
      Array.from({ length: size }, (_, column) => (row === column ? ridge : 0)),
    );
    rows.forEach((row, at) => {
      const weight = weights[at] as number;
      if (weight === 0) return;
      const p = sigmoid(logit(current, row));
      const slope = weight * (p - (targets[at] as number));
      const curve = weight * Math.max(leastCurve, p * (1 - p));
      for (let i = 0; i < size; i++) {
        const value = row[i] as number;
        if (value === 0) continue;
        gradient[i] = (gradient[i] as number) + slope * value;
        const line = hessian[i] as number[];
        for (let j = 0; j <= i; j++) line[j] = (line[j] as number) + curve * value * (row[j] as number);
      }
    });
    const move = solveSymmetric(hessian, gradient);
    let length = 1;
    let next = current;
    let nextLoss = Number.POSITIVE_INFINITY;
    for (; length > leastStep; length /= 2) {
      const scale = length;
      next = current.map((value, index) => value - scale * (move[index] as number));
      nextLoss = objective(rows, targets, weights, prior, ridge, next);
      if (nextLoss <= loss) break;
    }
    if (!(nextLoss <= loss)) break;
    const gained = loss - nextLoss;
    current = next;
    loss = nextLoss;
    if (gained < leastGain * (1 + Math.abs(loss))) break;
  }
  return current;
}

function objective(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  weights: readonly number[],
  prior: Coefficients,
  ridge: number,
  at: Coefficients,
): number {
  let sum = 0;
  rows.forEach((row, index) => {
    const z = logit(at, row);
    // log(1 + e^z) - y z, without overflow.
    sum +=
      (weights[index] as number) *
      (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - (targets[index] as number) * z);
  });
  at.forEach((value, index) => {
    sum += 0.5 * ridge * (value - (prior[index] as number)) ** 2;
  });
  return sum;
}

/** Solves A x = b for a symmetric positive definite A given by its lower triangle (Cholesky). */
function solveSymmetric(lower: number[][], b: readonly number[]): number[] {
  const n = b.length;
  const l = lower.map((row) => [...row]);
  for (let i = 0; i < n; i++) {
    const row = l[i] as number[];
    for (let j = 0; j <= i; j++) {
      const other = l[j] as number[];
      let sum = row[j] as number;
      for (let k = 0; k < j; k++) sum -= (row[k] as number) * (other[k] as number);
      row[j] = i === j ? Math.sqrt(Math.max(sum, LOGISTIC.leastPivot)) : sum / (other[j] as number);
    }
  }
  const x = [...b];
  for (let i = 0; i < n; i++) {
    let sum = x[i] as number;
    for (let k = 0; k < i; k++) sum -= ((l[i] as number[])[k] as number) * (x[k] as number);
    x[i] = sum / ((l[i] as number[])[i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i] as number;
    for (let k = i + 1; k < n; k++) sum -= ((l[k] as number[])[i] as number) * (x[k] as number);
    x[i] = sum / ((l[i] as number[])[i] as number);
  }
  return x;
}
