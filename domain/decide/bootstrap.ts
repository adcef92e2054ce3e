import { seededRandom } from '../base/random.js';
import type { EvaluationRow } from '../tables.js';
import { normalCdf, normalQuantile } from './normal.js';

/** With fewer resamples beyond a bound its percentile is noise: the normal approximation replaces it. */
const MIN_TAIL_RESAMPLES = 10;
const POWER = 0.8;

/** The compared measure: IoU of regions or of the boundary band. */
export type Metric = 'region' | 'boundary';

/** Sums of one model over the images of one unit (a vehicle, or an image without one); arrays by label value. */
interface UnitSums {
  intersection: Float64Array;
  union: Float64Array;
  given: Float64Array;
}

export interface Comparison {
  units: number;
  /** mIoU over the classes compared, on all units. */
  candidate: number;
  benchmark: number;
  gain: number;
  /** Gains of the resamples, ascending. */
  gains: Float64Array;
  /** Standard error of the gain. */
  error: number;
}

export interface ComparisonRequest {
  candidate: readonly EvaluationRow[];
  benchmark: readonly EvaluationRow[];
  metric: Metric;
  /** Label values that enter the mean; those without ground truth in a resample are left out there. */
  labels: readonly number[];
  resamples: number;
  /** Parts of the seed. */
  seed: readonly (string | number)[];
}

/** Resampling unit of an image: pictures of one vehicle are not independent. */
export function unitOf(row: Pick<EvaluationRow, 'vehicleId' | 'imageId'>): string {
  return row.vehicleId === null ? `image:${row.imageId}` : `vehicle:${row.vehicleId}`;
}

/**
 * Paired bootstrap of the gain in mIoU: units are drawn with replacement, the same for both models, and whole-set mIoU
 * comes from their sums. Images that only one model judged are left out.
 */
export function comparePaired({
  candidate,
  benchmark,
  metric,
  labels,
  resamples,
  seed,
}: ComparisonRequest): Comparison {
  const benchmarkRows = new Map(benchmark.map((row) => [row.imageId, row]));
  const paired = candidate
    .filter((row) => benchmarkRows.has(row.imageId))
    .toSorted((a, b) => (a.imageId < b.imageId ? -1 : 1));
  const size = Math.max(0, ...labels) + 1;
  const mine = sumByUnit(paired, metric, size);
  const theirs = sumByUnit(
    paired.map((row) => benchmarkRows.get(row.imageId) as EvaluationRow),
    metric,
    size,
  );
  const pairs = [...mine].map(([unit, sums]) => ({ mine: sums, theirs: theirs.get(unit) as UnitSums }));

  const gainOf = (weights: Uint16Array): { candidate: number; benchmark: number } => ({
    candidate: meanIou(
      pairs.map((pair) => pair.mine),
      weights,
      labels,
      size,
    ),
    benchmark: meanIou(
      pairs.map((pair) => pair.theirs),
      weights,
      labels,
      size,
    ),
  });
  const whole = gainOf(new Uint16Array(pairs.length).fill(1));
  const gains = new Float64Array(pairs.length === 0 ? 0 : resamples);
  const random = seededRandom(...seed, 'bootstrap');
  for (let resample = 0; resample < gains.length; resample++) {
    const weights = new Uint16Array(pairs.length);
    for (let draw = 0; draw < pairs.length; draw++) {
      const unit = Math.floor(random() * pairs.length);
      weights[unit] = (weights[unit] ?? 0) + 1;
    }
    const resampled = gainOf(weights);
    gains[resample] = resampled.candidate - resampled.benchmark;
  }
  const sorted = gains.sort();
  const gain = whole.candidate - whole.benchmark;
  return { units: pairs.length, ...whole, gain, gains: sorted, error: standardDeviation(sorted) };
}

/** Lower and upper one-sided bounds of the gain, each at error probability `alpha`. */
export function bounds({ gain, gains, error }: Comparison, alpha: number): { lower: number; upper: number } {
  const z = normalQuantile(1 - alpha);
  const tail = Math.floor(alpha * gains.length);
  if (tail < MIN_TAIL_RESAMPLES) return { lower: gain - z * error, upper: gain + z * error };
  return { lower: gains[tail] as number, upper: gains[gains.length - 1 - tail] as number };
}

/**
 * P of the null hypothesis "the true gain is at most `limit`" under a normal approximation with the bootstrap's error.
 */
export function pValueAbove({ gain, error }: Comparison, limit: number): number {
  if (error === 0) return gain > limit ? 0 : 1;
  return 1 - normalCdf((gain - limit) / error);
}

/** P of the null hypothesis "the true gain is at least `limit`". */
export function pValueBelow({ gain, error }: Comparison, limit: number): number {
  if (error === 0) return gain < limit ? 0 : 1;
  return normalCdf((gain - limit) / error);
}

/** The smallest drop that this test set would show in four of five trials at error probability `alpha`. */
export function smallestDetectable({ error }: Comparison, alpha: number): number {
  return (normalQuantile(1 - alpha) + normalQuantile(POWER)) * error;
}

function sumByUnit(rows: readonly EvaluationRow[], metric: Metric, size: number): Map<string, UnitSums> {
  const units = new Map<string, UnitSums>();
  for (const row of rows) {
    const unit = unitOf(row);
    let sums = units.get(unit);
    if (sums === undefined) {
      sums = { intersection: new Float64Array(size), union: new Float64Array(size), given: new Float64Array(size) };
      units.set(unit, sums);
    }
    addConfusion(sums, row.confusion, metric === 'region');
    if (metric === 'boundary') addBoundary(sums, row.boundary);
  }
  return units;
}

function addConfusion({ intersection, union, given }: UnitSums, triples: readonly number[], regions: boolean): void {
  const add = (sums: Float64Array, label: number, pixels: number) => {
    if (label < sums.length) sums[label] = (sums[label] as number) + pixels;
  };
  for (let at = 0; at + 2 < triples.length; at += 3) {
    const truth = triples[at] as number;
    const predicted = triples[at + 1] as number;
    const pixels = triples[at + 2] as number;
    add(given, truth, pixels);
    if (!regions) continue;
    add(union, truth, pixels);
    if (truth === predicted) add(intersection, truth, pixels);
    else add(union, predicted, pixels);
  }
}

function addBoundary({ intersection, union }: UnitSums, triples: readonly number[]): void {
  for (let at = 0; at + 2 < triples.length; at += 3) {
    const label = triples[at] as number;
    if (label >= union.length) continue;
    intersection[label] = (intersection[label] as number) + (triples[at + 1] as number);
    union[label] = (union[label] as number) + (triples[at + 2] as number);
  }
}

function meanIou(units: readonly UnitSums[], weights: Uint16Array, labels: readonly number[], size: number): number {
  const intersection = new Float64Array(size);
  const union = new Float64Array(size);
  const given = new Float64Array(size);
  units.forEach((unit, index) => {
    const weight = weights[index] as number;
    if (weight === 0) return;
    for (const label of labels) {
      intersection[label] = (intersection[label] as number) + weight * (unit.intersection[label] as number);
      union[label] = (union[label] as number) + weight * (unit.union[label] as number);
      given[label] = (given[label] as number) + weight * (unit.given[label] as number);
    }
  });
  let sum = 0;
  let classes = 0;
  for (const label of labels) {
    if ((given[label] as number) === 0 || (union[label] as number) === 0) continue;
    sum += (intersection[label] as number) / (union[label] as number);
    classes++;
  }
  return classes === 0 ? 0 : sum / classes;
}

function standardDeviation(values: Float64Array): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
