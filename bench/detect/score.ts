import { SPOIL_KINDS } from '../../demo/spoil/truth.js';
import type { ScanReduction } from '../../domain/scan/index.js';
import { TAG_NAMES } from '../../domain/tags.js';
import {
  brierSkill,
  calibrationErrorByChance,
  expectedCalibrationError,
  type ReliabilityBin,
  reliability,
} from '../metrics/calibration.js';
import { bestAtPrecision, detectionAt } from '../metrics/detection.js';
import { auroc, averagePrecision, precisionAt } from '../metrics/ranking.js';
import type { Scored } from './claims.js';
import type { BenchSet } from './data.js';

export const TOP = 50;
export const WANTED_PRECISION = 0.8;

/** Ranking of images by a score (high is suspect). */
export interface Ranking {
  auroc: number | null;
  averagePrecision: number | null;
  precisionAtTop: number;
}

export function rankingOf(scores: readonly number[], wrong: readonly boolean[]): Ranking {
  return {
    auroc: auroc(scores, wrong),
    averagePrecision: averagePrecision(scores, wrong),
    precisionAtTop: precisionAt(scores, wrong, TOP),
  };
}

export interface Calibrated {
  ece: number;
  /** The error that as many perfectly calibrated claims would show. */
  eceByChance: number;
  brierSkill: number | null;
  reliability: ReliabilityBin[];
}

export function calibrationOf(claims: readonly number[], wrong: readonly boolean[]): Calibrated {
  return {
    ece: expectedCalibrationError(claims, wrong),
    eceByChance: calibrationErrorByChance(claims),
    brierSkill: brierSkill(claims, wrong),
    reliability: reliability(claims, wrong),
  };
}

export interface KindScore {
  kind: string;
  planted: number;
  /** At a probability of 0.5. */
  recall: number;
  precision: number | null;
  /** At the pooled threshold. */
  recallPooled: number;
}

export interface FindingScore {
  kinds: KindScore[];
  /** All kinds together, at the smallest threshold with the wanted precision; null if none has it. */
  pooled: { threshold: number; recall: number; precision: number | null } | null;
}

export function findingScore({ claims, planted }: Scored): FindingScore {
  const total = Object.values(planted).reduce((sum, ids) => sum + ids.length, 0);
  const pooled = bestAtPrecision(claims, total, WANTED_PRECISION);
  return {
    pooled,
    kinds: SPOIL_KINDS.map((kind) => {
      const own = claims.filter((claim) => claim.kind === kind);
      const at = detectionAt(own, planted[kind].length, 0.5);
      return {
        kind,
        planted: planted[kind].length,
        recall: at.recall,
        precision: at.precision,
        recallPooled: pooled === null ? 0 : detectionAt(own, planted[kind].length, pooled.threshold).recall,
      };
    }),
  };
}

export interface SliceRate {
  slice: string;
  images: number;
  overThreshold: number;
  rate: number;
  /** At most 1.5 times the overall rate, or 3 points more. */
  fair: boolean;
}

/** Share of images without any planted error over the threshold, in total and by tag value. */
export function flagRates(
  set: BenchSet,
  scan: ScanReduction,
  wrong: readonly boolean[],
  threshold: number,
): SliceRate[] {
  const groups = new Map<string, { images: number; overThreshold: number }>([['all', { images: 0, overThreshold: 0 }]]);
  set.images.forEach((image, index) => {
    if (wrong[index]) return;
    const overThreshold = (scan.images[index]?.pMislabelled ?? 0) >= threshold;
    const named = TAG_NAMES.flatMap((name) => (image.tags[name] === null ? [] : [`${name}=${image.tags[name]}`]));
    for (const slice of ['all', ...named]) {
      const group = groups.get(slice) ?? { images: 0, overThreshold: 0 };
      group.images++;
      if (overThreshold) group.overThreshold++;
      groups.set(slice, group);
    }
  });
  const all = groups.get('all') ?? { images: 0, overThreshold: 0 };
  const overall = all.overThreshold / Math.max(1, all.images);
  return [...groups].map(([slice, { images, overThreshold }]) => {
    const rate = overThreshold / Math.max(1, images);
    return { slice, images, overThreshold, rate, fair: rate <= Math.max(1.5 * overall, overall + 0.03) + 1e-9 };
  });
}
