import { estimateRecall } from '../../domain/review/auditAnswers.js';
import { leastWrong, mostWrong, type Unit } from '../../domain/review/certificate/bound.js';
import { auditChances, drawAudit } from '../../domain/scan/verdict/auditSample.js';
import { bettingBound } from './betting.js';
import type { Truth } from './population.js';

const RISK = 0.05;

/** An upper bound's share of samples that hold the truth, and its mean. */
interface Bound {
  held: number;
  mean: number;
}

export interface Resampled {
  images: number;
  audit: number;
  share: number;
  samples: number;
  /** One-sided bounds at 95 %. */
  certificate: Bound;
  /** The same bound without probabilities: what the audit sample tells alone. */
  alone: Bound;
  /** A sequential betting bound with a difference estimator (Waudby-Smith and Ramdas 2024). */
  betting: Bound;
  /** Upper end of the interval of `review list` (Wilson), which is an approximation. */
  wilson: Bound;
  /** Two-sided interval of the certificate at 95 %: how often it holds the truth, and its mean width. */
  interval: { held: number; width: number };
}

/** Audit samples drawn again and again from one population or from several, as a scan draws them. */
export function resample(
  populationOf: (sample: number) => readonly Truth[],
  audit: number,
  samples: number,
): Resampled {
  const names = ['certificate', 'alone', 'betting', 'wilson'] as const;
  const sums = Object.fromEntries(names.map((name) => [name, { held: 0, mean: 0 }])) as Record<
    (typeof names)[number],
    Bound
  >;
  const interval = { held: 0, width: 0 };
  let [images, share] = [0, 0];
  for (let sample = 0; sample < samples; sample++) {
    // The order of a draw comes from the ids.
    const population = populationOf(sample).map((one) => ({
      ...one,
      imageId: `${sample}:${one.id}`,
      probability: one.p,
    }));
    const wrong = population.filter((one) => one.wrong).length / population.length;
    const units = draw(population, audit);
    const without = units.map((unit) => ({ ...unit, probability: 0.5 }));
    const bounds = {
      certificate: mostWrong(units, RISK) / units.length,
      alone: mostWrong(without, RISK) / units.length,
      betting: bettingBound(units, RISK, sample),
      wilson: wilsonOf(units),
    };
    for (const name of names) {
      if (bounds[name] >= wrong - 1e-9) sums[name].held += 1 / samples;
      sums[name].mean += bounds[name] / samples;
    }
    const low = leastWrong(units, RISK / 2) / units.length;
    const high = mostWrong(units, RISK / 2) / units.length;
    if (low <= wrong + 1e-9 && high >= wrong - 1e-9) interval.held += 1 / samples;
    interval.width += (high - low) / samples;
    images = population.length;
    share += wrong / samples;
  }
  return { images, audit, share, samples, ...sums, interval };
}

function draw(population: readonly { imageId: string; probability: number; wrong: boolean }[], size: number): Unit[] {
  const drawn = drawAudit(population, size);
  const chances = auditChances(
    population.map(({ probability }) => probability),
    size,
  );
  return population.map(({ imageId, probability, wrong }, at) => {
    const chance = drawn.get(imageId);
    return {
      probability,
      chance: chance ?? chances[at] ?? 0,
      answer: chance === undefined ? null : wrong ? 'wrong' : 'right',
    };
  });
}

function wilsonOf(units: readonly Unit[]): number {
  const answers = units.flatMap(({ chance, answer }, at) => {
    if (answer === null) return [];
    const about = { type: 'audit' as const, scan: 'bench', imageId: String(at), labelSha256: '', chance };
    return [{ ...about, wrong: answer === 'wrong', found: false, setAside: false, reviewer: null, reviewedAt: '' }];
  });
  return estimateRecall(answers)?.wrongShare.high ?? 1;
}
