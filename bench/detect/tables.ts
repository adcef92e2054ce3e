import type { Interval } from '../metrics/bootstrap.js';
import { type Cell, fixed, markdownTable } from '../results.js';
import type { Difference } from './compare.js';
import type { SeedResult } from './measure.js';
import { TOP, WANTED_PRECISION } from './score.js';

type Row = Record<string, Cell>;

const mean = (values: readonly (number | null | undefined)[]): number | null => {
  const known = values.filter((value): value is number => value !== null && value !== undefined);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
};
const interval = ({ mean: middle, low, high }: Interval): string => `${fixed(middle)} [${fixed(low)}, ${fixed(high)}]`;

/** A set's results as markdown: means over seeds. */
export function setTables(name: string, results: readonly SeedResult[], compared: readonly Difference[]): string {
  const scorers = Object.keys(results[0]?.scores ?? {});
  const ranking = scorers.map((scorer): Row => {
    const own = results.map(({ rankings }) => rankings[scorer]);
    const against = compared.find(({ peer }) => peer === scorer);
    return {
      score: scorer,
      AUROC: fixed(mean(own.map((one) => one?.auroc))),
      AP: fixed(mean(own.map((one) => one?.averagePrecision))),
      [`P@${TOP}`]: fixed(mean(own.map((one) => one?.precisionAtTop))),
      'AUROC gained [95 %]': against === undefined ? null : interval(against.auroc),
      'AP gained [95 %]': against === undefined ? null : interval(against.averagePrecision),
      [`P@${TOP} gained [95 %]`]: against === undefined ? null : interval(against.precisionAtTop),
    };
  });
  const kinds = (results[0]?.findings.kinds ?? []).map(({ kind }, at): Row => {
    const own = results.map(({ findings }) => findings.kinds[at]);
    return {
      kind,
      planted: own.reduce((sum, one) => sum + (one?.planted ?? 0), 0),
      'recall at p 0.5': fixed(mean(own.map((one) => one?.recall))),
      'precision at p 0.5': fixed(mean(own.map((one) => one?.precision))),
      'recall at pooled threshold': fixed(mean(own.map((one) => one?.recallPooled))),
    };
  });
  const pooled = mean(results.map(({ findings }) => findings.pooled?.recall ?? 0));
  const calibration = (results[0]?.calibration ?? []).map((_, at): Row => {
    const own = results.map((result) => result.calibration[at]);
    return {
      planted: fixed(mean(own.map((one) => one?.share))),
      estimated: fixed(mean(own.map((one) => one?.estimated))),
      'ECE, images': fixed(mean(own.map((one) => one?.images.ece))),
      'images by chance': fixed(mean(own.map((one) => one?.images.eceByChance))),
      'Brier skill, images': fixed(mean(own.map((one) => one?.images.brierSkill))),
      'ECE, findings': fixed(mean(own.map((one) => one?.findings.ece))),
      'findings by chance': fixed(mean(own.map((one) => one?.findings.eceByChance))),
      'Brier skill, findings': fixed(mean(own.map((one) => one?.findings.brierSkill))),
    };
  });
  return [
    `## ${name}: ${results.length} seeds (${results.map(({ seed }) => seed).join(', ')}), ${results[0]?.images ?? 0} images each`,
    markdownTable(ranking),
    `Findings. Pooled recall at precision ${WANTED_PRECISION}: ${fixed(pooled)}`,
    markdownTable(kinds),
    'Calibration of P(wrong)',
    markdownTable(calibration),
    'Flagged among unspoiled images, by slice (pooled over seeds)',
    markdownTable(sliceRows(results)),
  ].join('\n\n');
}

function sliceRows(results: readonly SeedResult[]): Row[] {
  const sums = new Map<string, { images: number; overThreshold: number }>();
  for (const { slices } of results) {
    for (const { slice, images, overThreshold } of slices) {
      const sum = sums.get(slice) ?? { images: 0, overThreshold: 0 };
      sums.set(slice, { images: sum.images + images, overThreshold: sum.overThreshold + overThreshold });
    }
  }
  const all = sums.get('all');
  const overall = all === undefined ? 0 : all.overThreshold / Math.max(1, all.images);
  return [...sums].map(([slice, { images, overThreshold }]) => {
    const rate = overThreshold / Math.max(1, images);
    return {
      slice,
      images,
      overThreshold,
      rate: fixed(rate),
      fair: rate <= Math.max(1.5 * overall, overall + 0.03) + 1e-9 ? 'yes' : 'NO',
    };
  });
}
