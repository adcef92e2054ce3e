import { bootstrapMean, type Interval } from '../metrics/bootstrap.js';
import { auroc, averagePrecision, precisionAt } from '../metrics/ranking.js';
import type { SeedResult } from './measure.js';
import { TOP } from './score.js';

export const OURS = 'partloop';

export interface Difference {
  peer: string;
  auroc: Interval;
  averagePrecision: Interval;
  precisionAtTop: Interval;
}

/** Ours minus each peer, mean over seeds, with 95 % intervals by a paired bootstrap over images within seeds. */
export function differences(results: readonly SeedResult[], resamples = 2_000): Difference[] {
  const peers = Object.keys(results[0]?.scores ?? {}).filter((name) => name !== OURS);
  return peers.map((peer) => {
    const gain = (metric: (scores: number[], wrong: boolean[]) => number | null): Interval =>
      bootstrapMean(
        results.map(({ images }) => images),
        (group, members) => {
          const { scores, wrong } = results[group] as SeedResult;
          const truth = members.map((index) => wrong[index] === true);
          const of = (name: string): number | null =>
            metric(
              members.map((index) => scores[name]?.[index] ?? 0),
              truth,
            );
          const [own, other] = [of(OURS), of(peer)];
          return own === null || other === null ? null : own - other;
        },
        resamples,
      );
    return {
      peer,
      auroc: gain(auroc),
      averagePrecision: gain(averagePrecision),
      precisionAtTop: gain((scores, wrong) => precisionAt(scores, wrong, TOP)),
    };
  });
}
