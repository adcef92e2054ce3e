import type { GateConfig } from '../config.js';
import { kindsText, type LeftOut } from '../images/leftOut.js';
import type { EvaluationRow } from '../tables.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';
import {
  bounds,
  type Comparison,
  comparePaired,
  type Metric,
  pValueAbove,
  pValueBelow,
  smallestDetectable,
  unitOf,
} from './bootstrap.js';
import { spentAlpha, wearOf, wearText } from './spending.js';

export type SliceOutcome = 'pass' | 'fail' | 'not-enough-data';
export type GateOutcome = 'promoted' | 'held' | 'rejected' | 'not-enough-data';

export interface SliceVerdict {
  name: string;
  outcome: SliceOutcome;
  units: number;
  candidate: number;
  benchmark: number;
  gain: number;
  lower: number;
  upper: number;
  /** The smallest drop in mIoU that this number of units would show in four of five trials. */
  detectable: number;
}

export interface GateVerdict {
  outcome: GateOutcome;
  /** Sentences for people: the reasons of the outcome. */
  reasons: string[];
  units: number;
  /** Test images on which both were judged, and those that were left out for both. */
  images: number;
  leftOut: LeftOut[];
  candidateMiou: number;
  benchmarkMiou: number;
  gain: number;
  lower: number;
  upper: number;
  detectable: number;
  /** The number of this decision on the test version, and the error probability left for it. */
  look: number;
  alpha: number;
  slices: SliceVerdict[];
  /** Classes that the benchmark finds somewhere and the candidate nowhere. */
  lostClasses: string[];
}

export interface GateRequest {
  candidate: readonly EvaluationRow[];
  benchmark: readonly EvaluationRow[];
  /** Test images on which at least one of the two could not be judged. */
  leftOut: readonly LeftOut[];
  taxonomy: Taxonomy;
  config: GateConfig;
  /** 1 for the first decision on this test version, 2 for the second, … */
  look: number;
  /** Vehicle types in the candidate's training set; null if tags are unknown. */
  trainedVehicles: ReadonlySet<string> | null;
  seed: number;
}

/** A subset that must not get worse. */
interface ProtectedSlice {
  name: string;
  metric: Metric;
  labels: readonly number[];
  keep(row: EvaluationRow): boolean;
}

/**
 * Decide whether the candidate replaces the benchmark. Promotion needs the lower bound of the gain above the margin, no
 * class that fell to zero recall, and no protected slice that failed its non-inferiority test (Holm-corrected). A slice
 * with too little data does not block: the verdict names it, with the smallest drop it could have shown. Pure and
 * seeded.
 */
export function decideGate(request: GateRequest): GateVerdict {
  const { taxonomy, config, look, seed } = request;
  const { candidate, benchmark } = onCommonImages(request.candidate, request.benchmark);
  const names = labelNames(taxonomy);
  const labels = taxonomy.classes.map((_, index) => index + 1);
  const alpha = spentAlpha(config.alpha, look, config.plannedLooks);
  const compare = (slice: ProtectedSlice): Comparison =>
    comparePaired({
      candidate: candidate.filter(slice.keep),
      benchmark,
      metric: slice.metric,
      labels: slice.labels,
      resamples: config.resamples,
      seed: [seed, slice.name],
    });

  const overall = compare({ name: 'all', metric: 'region', labels, keep: () => true });
  const slices = judgeSlices(
    protectedSlices(request, labels).map((slice) => ({ name: slice.name, comparison: compare(slice) })),
    config,
  );
  const lost = lostLabels(candidate, benchmark, labels).map((label) => names[label] ?? String(label));
  const { lower, upper } = bounds(overall, alpha);
  const failed = slices.filter((slice) => slice.outcome === 'fail');

  const reasons: string[] = [];
  let outcome: GateOutcome;
  if (overall.units < config.minUnits) {
    outcome = 'not-enough-data';
    reasons.push(
      `the test set has ${overall.units} independent units (vehicles, or images without one); at least ${config.minUnits} are needed`,
    );
  } else if (lost.length > 0 || failed.length > 0 || upper < config.margin) {
    outcome = 'rejected';
    if (lost.length > 0) reasons.push(`recall fell to zero for ${lost.join(', ')}`);
    for (const slice of failed)
      reasons.push(
        `${slice.name} dropped by ${points(-slice.gain)}, more than the tolerated ${points(config.sliceMargin)}`,
      );
    if (upper < config.margin)
      reasons.push(`the gain is below ${points(config.margin)} even at its upper bound (${signed(upper)})`);
  } else if (lower > config.margin) {
    outcome = config.mode === 'approve' ? 'held' : 'promoted';
    reasons.push(
      `the gain of ${signed(overall.gain)} is above ${points(config.margin)} even at its lower bound (${signed(lower)})`,
    );
    if (config.mode === 'approve') reasons.push('it waits for approval, as configured');
  } else {
    outcome = 'held';
    reasons.push(
      `the gain of ${signed(overall.gain)} is uncertain: its bounds are ${signed(lower)} and ${signed(upper)}; this test set can show gains of at least ${points(smallestDetectable(overall, alpha))}`,
    );
  }
  const { leftOut } = request;
  if (leftOut.length > 0) {
    const all = candidate.length + leftOut.length;
    reasons.push(`compared on ${candidate.length} of ${all} test images; left out: ${kindsText(leftOut)}`);
  }
  const unsure = slices.filter((slice) => slice.outcome === 'not-enough-data').map((slice) => slice.name);
  if (unsure.length > 0) reasons.push(`not enough data to judge: ${unsure.join(', ')}`);
  reasons.push(wearText(wearOf(look, config.plannedLooks)));
  return {
    outcome,
    reasons,
    units: overall.units,
    images: candidate.length,
    leftOut: [...leftOut],
    candidateMiou: overall.candidate,
    benchmarkMiou: overall.benchmark,
    gain: overall.gain,
    lower,
    upper,
    detectable: smallestDetectable(overall, alpha),
    look,
    alpha,
    slices,
    lostClasses: lost,
  };
}

/** Default protected slices: minor parts, boundaries, and the four known weak spots of part models. */
function protectedSlices({ taxonomy, trainedVehicles }: GateRequest, labels: readonly number[]): ProtectedSlice[] {
  const minor = labels.filter((label) => taxonomy.classes[label - 1]?.group === 'minor');
  const all = () => true;
  return [
    { name: 'minor parts', metric: 'region', labels: minor, keep: all },
    { name: 'boundary', metric: 'boundary', labels, keep: all },
    {
      name: 'black and reflective',
      metric: 'region',
      labels,
      keep: (row) => row.black === true && row.reflection === true,
    },
    { name: 'damaged, boundary', metric: 'boundary', labels, keep: (row) => row.damage === '1' || row.damage === '2' },
    { name: 'zoomed', metric: 'region', labels, keep: (row) => row.zoomed === true },
    {
      name: 'unseen vehicle types',
      metric: 'region',
      labels,
      keep: (row) => row.vehicle !== null && trainedVehicles !== null && !trainedVehicles.has(row.vehicle),
    },
  ];
}

/**
 * Non-inferiority of every slice with Holm's step-down over both families: passing (the drop is significantly smaller
 * than the margin) and failing (it is significantly larger). Bounds are at alpha over the number of slices. Each look
 * has the whole alpha: a drop that is overlooked goes to production, while one that is claimed by chance costs one
 * look.
 */
function judgeSlices(entries: readonly { name: string; comparison: Comparison }[], config: GateConfig): SliceVerdict[] {
  const { alpha } = config;
  const testable = entries.filter(({ comparison }) => comparison.units >= config.minUnits);
  const passed = holm(testable, alpha, ({ comparison }) => pValueAbove(comparison, -config.sliceMargin));
  const failed = holm(testable, alpha, ({ comparison }) => pValueBelow(comparison, -config.sliceMargin));
  const level = alpha / Math.max(1, testable.length);
  return entries.map((entry) => {
    const { name, comparison } = entry;
    const outcome: SliceOutcome = failed.has(entry) ? 'fail' : passed.has(entry) ? 'pass' : 'not-enough-data';
    return {
      name,
      outcome,
      units: comparison.units,
      candidate: comparison.candidate,
      benchmark: comparison.benchmark,
      gain: comparison.gain,
      ...bounds(comparison, level),
      detectable: smallestDetectable(comparison, level),
    };
  });
}

/**
 * Holm 1979: smallest p first, each against alpha divided by the number of remaining hypotheses; stop at the first
 * failure.
 */
function holm<T>(entries: readonly T[], alpha: number, pOf: (entry: T) => number): Set<T> {
  const rejected = new Set<T>();
  const ordered = entries.map((entry) => ({ entry, p: pOf(entry) })).sort((a, b) => a.p - b.p);
  for (const [index, { entry, p }] of ordered.entries()) {
    if (p > alpha / (ordered.length - index)) break;
    rejected.add(entry);
  }
  return rejected;
}

function lostLabels(
  candidate: readonly EvaluationRow[],
  benchmark: readonly EvaluationRow[],
  labels: readonly number[],
): number[] {
  const found = (rows: readonly EvaluationRow[]) => {
    const seen = new Set<number>();
    for (const { confusion } of rows) {
      for (let at = 0; at + 2 < confusion.length; at += 3)
        if (confusion[at] === confusion[at + 1]) seen.add(confusion[at] as number);
    }
    return seen;
  };
  const now = found(candidate);
  const before = found(benchmark);
  return labels.filter((label) => before.has(label) && !now.has(label));
}

/** Evaluations of two models on the images on which both were judged. */
export function onCommonImages(
  candidate: readonly EvaluationRow[],
  benchmark: readonly EvaluationRow[],
): { candidate: EvaluationRow[]; benchmark: EvaluationRow[] } {
  const ids = (rows: readonly EvaluationRow[]): Set<string> => new Set(rows.map(({ imageId }) => imageId));
  const [ofCandidate, ofBenchmark] = [ids(candidate), ids(benchmark)];
  return {
    candidate: candidate.filter(({ imageId }) => ofBenchmark.has(imageId)),
    benchmark: benchmark.filter(({ imageId }) => ofCandidate.has(imageId)),
  };
}

/** The number of independent units in a test set. */
export function countUnits(rows: readonly EvaluationRow[]): number {
  return new Set(rows.map(unitOf)).size;
}

const points = (value: number): string => value.toFixed(4);
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
