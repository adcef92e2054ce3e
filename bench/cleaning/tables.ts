import { bootstrapMean, type Interval } from '../metrics/bootstrap.js';
import { fixed, markdownTable } from '../results.js';
import { ARMS, type Arm, type Corrections } from './arms.js';

/** One trained network. */
export interface TrainedArm {
  arm: Arm;
  seed: number;
  /** On the test photos, 0..1. */
  miou: number;
}

/**
 * An arm's gain over old labels, and its share of the gain of corrected ones, with 95 % intervals by a bootstrap over
 * seeds.
 */
export interface Recovered {
  arm: Arm;
  miou: number;
  gain: Interval;
  /** Gain of the arm divided by that of corrected labels; null where that one is not above 0. */
  share: Interval | null;
}

/** Arms beside each other, by the seeds that all of them have. */
export function recovered(trained: readonly TrainedArm[]): Recovered[] {
  const of = (arm: Arm, seed: number): number | undefined =>
    trained.find((one) => one.arm === arm && one.seed === seed)?.miou;
  const seeds = [...new Set(trained.map(({ seed }) => seed))].filter((seed) =>
    ARMS.every((arm) => of(arm, seed) !== undefined),
  );
  const gain = (arm: Arm, members: readonly number[]): number =>
    members.reduce((sum, at) => sum + (of(arm, seeds[at] ?? 0) ?? 0) - (of('old', seeds[at] ?? 0) ?? 0), 0) /
    Math.max(1, members.length);
  return ARMS.map((arm): Recovered => {
    const whole = gain('corrected', [...seeds.keys()]);
    return {
      arm,
      miou: seeds.reduce((sum, seed) => sum + (of(arm, seed) ?? 0), 0) / Math.max(1, seeds.length),
      gain: bootstrapMean([seeds.length], (_, members) => gain(arm, members)),
      share:
        whole <= 0
          ? null
          : bootstrapMean([seeds.length], (_, members) => {
              const best = gain('corrected', members);
              return best <= 0 ? null : gain(arm, members) / best;
            }),
    };
  });
}

/** The figures as markdown. */
export function cleaningTables(
  trained: readonly TrainedArm[],
  corrections: Readonly<Partial<Record<Arm, Corrections>>>,
): string {
  const interval = ({ mean, low, high }: Interval): string => `${fixed(mean)} [${fixed(low)}, ${fixed(high)}]`;
  return markdownTable(
    recovered(trained).map(({ arm, miou, gain, share }) => ({
      labels: arm,
      'corrections applied': corrections[arm]?.applied ?? 0,
      'harmful ones': corrections[arm]?.harmful ?? 0,
      photos: corrections[arm]?.images ?? 0,
      'test mIoU': fixed(miou),
      gain: interval(gain),
      'share of the gap': share === null ? null : interval(share),
    })),
  );
}
