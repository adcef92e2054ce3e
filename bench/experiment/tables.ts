import type { Interval } from '../metrics/bootstrap.js';
import { detectable, deviation, pairedInterval } from '../metrics/paired.js';
import { type Cell, fixed, markdownTable } from '../results.js';
import { SCORES, type Scores } from './evaluate.js';

/** One trained and scored network. */
export interface TrainedArm extends Scores {
  arm: string;
  seed: number;
  /** Images that it learned from, and how many of their labels are wrong. */
  images: number;
  wrong: number;
}

type ScoreName = (typeof SCORES)[number];

/** The gain of an arm over another in one score, paired by seed, in points (hundredths). */
export function gainOver(
  trained: readonly TrainedArm[],
  arm: string,
  baseline: string,
  score: ScoreName,
): { pairs: number; differences: number[]; interval: Interval | null; deviation: number } {
  const of = (name: string, seed: number): number | null =>
    trained.find((one) => one.arm === name && one.seed === seed)?.[score] ?? null;
  const differences = [...new Set(trained.map(({ seed }) => seed))].flatMap((seed) => {
    const [a, b] = [of(arm, seed), of(baseline, seed)];
    return a === null || b === null ? [] : [100 * (a - b)];
  });
  const spread = differences.length < 2 ? 0 : deviation(differences);
  return { pairs: differences.length, differences, interval: pairedInterval(differences), deviation: spread };
}

/** The figures as markdown: the mean of every score, the gains in mIoU and in the weak spots. */
export function experimentTables(trained: readonly TrainedArm[], baseline: string): string {
  const arms = [...new Set(trained.map(({ arm }) => arm))].sort((a, b) => meanOf(trained, b) - meanOf(trained, a));
  const means = arms.map((arm): Record<string, Cell> => {
    const own = trained.filter((one) => one.arm === arm);
    const mean = (of: (one: TrainedArm) => number | null): number | null => {
      const known = own.flatMap((one) => of(one) ?? []);
      return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
    };
    return {
      arm,
      seeds: own.length,
      images: fixed(
        mean(({ images }) => images),
        0,
      ),
      'wrong labels': fixed(
        mean(({ images, wrong }) => wrong / Math.max(1, images)),
        3,
      ),
      ...Object.fromEntries(SCORES.map((score) => [score, fixed(mean((one) => one[score]))])),
    };
  });
  const gains = arms
    .filter((arm) => arm !== baseline)
    .map((arm): Record<string, Cell> => {
      const { pairs, deviation: spread } = gainOver(trained, arm, baseline, 'miou');
      return {
        arm,
        pairs,
        ...Object.fromEntries(
          SCORES.map((score) => [score, intervalText(gainOver(trained, arm, baseline, score).interval)]),
        ),
        'shown with 80 % power': pairs < 2 ? null : fixed(detectable(pairs, spread), 1),
      };
    });
  return `${markdownTable(means)}\n\nGains over ${baseline} in points, paired by seed:\n\n${markdownTable(gains)}`;
}

/** Every arm against every other in mIoU: the row's gain over the column. */
export function pairTable(trained: readonly TrainedArm[]): string {
  const arms = [...new Set(trained.map(({ arm }) => arm))];
  return markdownTable(
    arms.map((arm) => ({
      arm,
      ...Object.fromEntries(
        arms.map((other) => [
          `over ${other}`,
          other === arm ? null : intervalText(gainOver(trained, arm, other, 'miou').interval),
        ]),
      ),
    })),
  );
}

function intervalText(interval: Interval | null): string | null {
  if (interval === null) return null;
  const { mean, low, high } = interval;
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;

function meanOf(trained: readonly TrainedArm[], arm: string): number {
  const known = trained.flatMap((one) => (one.arm === arm && one.miou !== null ? [one.miou] : []));
  return known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
}
