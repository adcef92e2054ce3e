import { bootstrapMean, type Interval } from '../../metrics/bootstrap.js';
import { auroc, averagePrecision, precisionAt } from '../../metrics/ranking.js';
import { TOP } from '../score.js';
import { kendallTau } from './score.js';

export const OURS = 'partloop';
export const PLAIN = 'unlabelled area that the judge calls a part';

const METRICS = {
  auroc,
  averagePrecision,
  precisionAtTop: (scores: readonly number[], wrong: readonly boolean[]): number | null =>
    precisionAt(scores, wrong, TOP),
};
export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES: readonly MetricName[] = ['auroc', 'averagePrecision', 'precisionAtTop'];

/** One score of images (high is suspect), with 95 % intervals by a bootstrap over images. */
export interface ImageScore {
  metrics: Record<MetricName, Interval>;
  /** The gain of ours over it on the same images; null for ours. */
  behind: Record<MetricName, Interval> | null;
  /** Kendall's tau-b with the changed share; null if one of the two has no order. */
  tau: number | null;
}

/** Rankings by each score. `wrong` and `changed` by image, as each list of scores. */
export function imageScores(
  scores: Readonly<Record<string, readonly number[]>>,
  wrong: readonly boolean[],
  changed: readonly number[],
  resamples?: number,
): Record<string, ImageScore> {
  const ours = scores[OURS] ?? [];
  return Object.fromEntries(
    Object.entries(scores).map(([name, values]): [string, ImageScore] => [
      name,
      {
        metrics: each((metric) => interval(metric, wrong, values, null, resamples)),
        behind: name === OURS ? null : each((metric) => interval(metric, wrong, ours, values, resamples)),
        tau: kendallTau(values, changed),
      },
    ]),
  );
}

/** `better` less `worse` of each metric, on the same images. */
export const gained = (
  better: readonly number[],
  worse: readonly number[],
  wrong: readonly boolean[],
  resamples?: number,
): Record<MetricName, Interval> => each((metric) => interval(metric, wrong, better, worse, resamples));

function interval(
  metric: MetricName,
  wrong: readonly boolean[],
  values: readonly number[],
  less: readonly number[] | null,
  resamples?: number,
): Interval {
  const of = METRICS[metric];
  return bootstrapMean(
    [wrong.length],
    (_, members) => {
      const truth = members.map((index) => wrong[index] === true);
      const at = (scores: readonly number[]): number | null =>
        of(
          members.map((index) => scores[index] ?? 0),
          truth,
        );
      const [own, other] = [at(values), less === null ? 0 : at(less)];
      return own === null || other === null ? null : own - other;
    },
    resamples,
  );
}

const each = <T>(of: (metric: MetricName) => T): Record<MetricName, T> => ({
  auroc: of('auroc'),
  averagePrecision: of('averagePrecision'),
  precisionAtTop: of('precisionAtTop'),
});
