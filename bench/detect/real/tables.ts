import type { Interval } from '../../metrics/bootstrap.js';
import { type Cell, fixed, markdownTable } from '../../results.js';
import { TOP } from '../score.js';
import type { VariantResult } from './measure.js';
import { gained, METRIC_NAMES, type MetricName, OURS, PLAIN } from './ranking.js';

type Row = Record<string, Cell>;

const METRIC_LABELS: Record<MetricName, string> = {
  auroc: 'AUROC',
  averagePrecision: 'AP',
  precisionAtTop: `P@${TOP}`,
};

const interval = ({ mean, low, high }: Interval): string => `${fixed(mean)} [${fixed(low)}, ${fixed(high)}]`;
const share = (count: number, of: number): string => (of === 0 ? '–' : `${((100 * count) / of).toFixed(0)} %`);

/** The figures of all variants as markdown. */
export function realTables(results: readonly VariantResult[]): string {
  const [first] = results;
  if (first === undefined) return '';
  return [
    `## Errors that people made: ${first.images} photos, ${first.wrong.filter(Boolean).length} wrong by parts`,
    'Images, with 95 % intervals by a bootstrap over photos; tau is with the changed share of the picture',
    markdownTable(results.flatMap(rankingRows)),
    'Share of wrong labels, and calibration of the probabilities of images and findings',
    markdownTable(results.map(calibrationRow)),
    'Findings: right class, box IoU of at least 0.3',
    markdownTable(results.flatMap(findingRows)),
    'Real missing parts: does the judge see them, and what becomes of those it sees',
    markdownTable(results.map(funnelRow)),
    ...results.flatMap((result) => [
      `Reliability of the probabilities of images, ${result.variant}`,
      markdownTable(
        result.calibration.reliability.map(({ count, claimed, observed }) => ({
          images: count,
          claimed: fixed(claimed),
          observed: fixed(observed),
        })),
      ),
    ]),
    ...gapTables(results),
  ].join('\n\n');
}

function rankingRows({ variant, ranking }: VariantResult): Row[] {
  return Object.entries(ranking).map(([score, { metrics, behind, tau }]) => ({
    variant,
    score,
    ...Object.fromEntries(METRIC_NAMES.map((name) => [METRIC_LABELS[name], interval(metrics[name])])),
    tau: fixed(tau),
    'partloop gains AUROC': behind === null ? null : interval(behind.auroc),
    'partloop gains AP': behind === null ? null : interval(behind.averagePrecision),
  }));
}

function calibrationRow({ variant, prevalence, calibration, findingCalibration }: VariantResult): Row {
  return {
    variant,
    'wrong, claimed': fixed(prevalence.claimed),
    'wrong, real': fixed(prevalence.real),
    'wrong, estimated over all scanned': fixed(prevalence.estimated),
    'ECE, images': fixed(calibration.ece),
    'by chance': fixed(calibration.eceByChance),
    'Brier skill': fixed(calibration.brierSkill),
    'ECE, findings': fixed(findingCalibration.ece),
    findings: findingCalibration.findings,
    'right, expected': fixed(findingCalibration.expected, 1),
    'right, real': findingCalibration.right,
  };
}

const findingRows = ({ variant, findings }: VariantResult): Row[] =>
  findings.flatMap(({ kind, real, at, medianProposalIou }) =>
    at.map(({ threshold, findings: count, expectedRight, right, precision, recall }) => ({
      variant,
      kind,
      'P at least': threshold,
      findings: count,
      'right, expected': fixed(expectedRight, 1),
      right,
      precision: fixed(precision),
      'of real ones': real,
      found: fixed(recall),
      'median IoU of right proposals': threshold === 0.5 ? fixed(medianProposalIou) : null,
    })),
  );

function funnelRow({ variant, missing }: VariantResult): Row {
  const { real, seen, candidates, found } = missing;
  return {
    variant,
    real,
    'seen by the judge': `${seen} (${share(seen, real)})`,
    'of these candidates': `${candidates} (${share(candidates, seen)})`,
    ...Object.fromEntries(
      found.map(({ threshold, count }) => [`P ≥ ${threshold}`, `${count} (${share(count, seen)} of seen)`]),
    ),
  };
}

/** What judges that had learned from corrected labels would gain on the same photos. */
function gapTables(results: readonly VariantResult[]): string[] {
  const ceiling = results.find(({ variant }) => variant === 'ceiling');
  if (ceiling === undefined) return [];
  const rows = results.flatMap((result): Row[] => {
    if (result === ceiling) return [];
    const scores = [OURS, PLAIN].map((score): Row => {
      const gap = gained(ceiling.scores[score] ?? [], result.scores[score] ?? [], result.wrong);
      return {
        from: result.variant,
        score,
        ...Object.fromEntries(METRIC_NAMES.map((name) => [METRIC_LABELS[name], interval(gap[name])])),
        'missing parts seen': seenShare(ceiling) - seenShare(result),
      };
    });
    return scores.map((row) => ({ ...row, 'missing parts seen': fixed(Number(row['missing parts seen'])) }));
  });
  return rows.length === 0
    ? []
    : ['Gap that better judges could close: the ceiling less each variant, same photos', markdownTable(rows)];
}

const seenShare = ({ missing: { seen, real } }: VariantResult): number => (real === 0 ? 0 : seen / real);
