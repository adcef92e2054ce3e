import { round6 } from '../../base/round.js';
import type { ScanConfig } from '../../config.js';
import { FINDING_KINDS, type FindingKind, type FindingRow } from '../../tables.js';
import type { Taxonomy } from '../../taxonomy.js';
import type { Calibration } from '../calibrate/calibrate.js';
import { type ClassKnowledge, judgedClasses } from '../calibrate/chunk/classes.js';
import { FAMILY_NAMES } from '../calibrate/families.js';
import type { VerdictCorrection } from '../calibrate/statistics/plattScaling.js';
import { UNKNOWN_CLASS } from '../calibrate/thresholds.js';
import type { ClassIouByName, ReduceEntry, ScanSummary } from '../types.js';
import type { ScanRows } from './rows.js';

/** The input of `reduceScan`. */
interface Asked {
  entries: readonly ReduceEntry[];
  taxonomy: Taxonomy;
  config: ScanConfig;
  classIou: Record<string, ClassIouByName> | null;
  correction: VerdictCorrection;
}

/** Intermediate results about the chunk. */
interface Learned {
  /** By label value. */
  classes: readonly ClassKnowledge[];
  calibration: Calibration;
  /** Infinite if no threshold reaches the required precision. */
  quarantineAt: number;
  overflow: number;
}

/** The scan in numbers: findings, images set aside, and the basis of the calibration. */
export function summarise(asked: Asked, learned: Learned, rows: readonly ScanRows[]): ScanSummary {
  const { calibration, quarantineAt, overflow } = learned;
  const findings = rows.flatMap((row) => row.findings);
  return {
    images: asked.entries.length,
    overThreshold: rows.filter(({ image }) => image.pMislabelled >= quarantineAt).length,
    quarantineAt: Number.isFinite(quarantineAt) ? round6(quarantineAt) : null,
    quarantined: rows.filter(({ image }) => image.quarantined).length,
    overflow,
    errors: rows.filter(({ image }) => image.error !== null).length,
    findings: findings.length,
    prevalence: prevalenceOf(calibration),
    kinds: countKinds(findings),
    classes: classSummary(asked, learned.classes),
    calibration: calibrationSummary(calibration, asked.correction),
    config: asked.config,
  };
}

function prevalenceOf({ judged }: Calibration): number {
  return judged.length === 0 ? 0 : judged.reduce((sum, { pMislabelled }) => sum + pMislabelled, 0) / judged.length;
}

function countKinds(findings: readonly FindingRow[]): ScanSummary['kinds'] {
  const kinds = Object.fromEntries(FINDING_KINDS.map((kind) => [kind, 0])) as Record<FindingKind, number>;
  for (const { kind } of findings) kinds[kind]++;
  return kinds;
}

function classSummary(
  { entries, taxonomy, config, classIou }: Asked,
  classes: readonly ClassKnowledge[],
): ScanSummary['classes'] {
  const models = [...new Set(entries.map(({ model }) => model))];
  const judges = models.map((model) => judgedClasses(taxonomy, classes, classIou?.[model] ?? null, config.minClassIou));
  return taxonomy.classes.map((entry, index) => ({
    name: entry.name,
    threshold: round6(classes[index + 1]?.threshold ?? UNKNOWN_CLASS.threshold),
    iou: classes[index + 1]?.iou ?? null,
    judged: judges.some((judged) => judged[index + 1] === true),
  }));
}

function calibrationSummary(calibration: Calibration, correction: VerdictCorrection): ScanSummary['calibration'] {
  const { families, images, injectedCandidates, candidates, injectedImages } = calibration;
  return {
    injectedCandidates,
    candidates,
    injectedImages,
    verdicts: correction,
    imagePrevalence: round6(images.shares.image ?? 0),
    coefficients: {
      ...Object.fromEntries(FAMILY_NAMES.map((family) => [family, families[family].coefficients.map(round6)])),
      image: images.coefficients.map(round6),
    },
    shares: Object.assign({}, ...FAMILY_NAMES.map((family) => roundAll(families[family].shares))),
  };
}

function roundAll(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round6(value)]));
}
