import { boxIou } from '../../../domain/geometry/boxIou.js';
import { type DetectionAt, detectionAt, type JudgedClaim, MATCH_IOU } from '../../metrics/detection.js';
import type { WrongPart } from './parts.js';

/** Probabilities at which findings are counted. */
export const THRESHOLDS = [0.2, 0.5, 0.8] as const;
/** The kinds of findings that are scored, as errors of people are mostly of these. */
export const SCORED_KINDS = ['missing_part', 'wrong_class'] as const;
export type ScoredKind = (typeof SCORED_KINDS)[number];

type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** A finding of a scan, or a component that a judge predicts. */
export interface RealClaim {
  /** Index of the image. */
  image: number;
  kind: ScoredKind;
  /** The label value that it says is right. */
  value: number | null;
  /** Shares of the picture's sides. */
  box: Box;
  probability: number;
  /** Pixels of its proposal on the picture's own grid; null if it has none. */
  proposal: ReadonlySet<number> | null;
}

/** A wrong part of an image. */
export type RealError = Pick<WrongPart, 'kind' | 'value' | 'box' | 'pixels'> & { image: number };

/** A finding is right if it names the right class for the place: boxes overlap by an IoU of at least 0.3. */
export const isRight = (
  claim: Pick<RealClaim, 'image' | 'kind' | 'value' | 'box'>,
  error: Pick<RealError, 'image' | 'kind' | 'value' | 'box'>,
): boolean =>
  claim.image === error.image &&
  claim.kind === error.kind &&
  claim.value === error.value &&
  boxIou(claim.box, error.box) >= MATCH_IOU;

/** Claims with the errors (as indices) that each meets. */
export function judgeClaims(claims: readonly RealClaim[], errors: readonly RealError[]): JudgedClaim[] {
  return claims.map((claim) => ({
    kind: claim.kind,
    probability: claim.probability,
    meets: errors.flatMap((error, at) => (isRight(claim, error) ? [String(at)] : [])),
  }));
}

export interface RealFindingScore {
  kind: ScoredKind;
  /** Real errors of this kind. */
  real: number;
  /** Of findings with at least each of `THRESHOLDS`. */
  at: (DetectionAt & { findings: number; expectedRight: number; right: number })[];
  /** Median IoU of right findings' proposals of at least 0.5 with the corrected part; null without any. */
  medianProposalIou: number | null;
}

/** Precision and recall per kind. The order of claims and errors does not matter. */
export function realFindingScores(claims: readonly RealClaim[], errors: readonly RealError[]): RealFindingScore[] {
  return SCORED_KINDS.map((kind) => {
    const own = claims.filter((claim) => claim.kind === kind);
    const real = errors.filter((error) => error.kind === kind);
    const judged = judgeClaims(own, real);
    return {
      kind,
      real: real.length,
      at: THRESHOLDS.map((threshold) => {
        const counted = judged.filter(({ probability }) => probability >= threshold);
        return {
          ...detectionAt(judged, real.length, threshold),
          findings: counted.length,
          expectedRight: counted.reduce((sum, { probability }) => sum + probability, 0),
          right: counted.filter(({ meets }) => meets.length > 0).length,
        };
      }),
      medianProposalIou: median(
        own.flatMap((claim) => {
          if (claim.probability < 0.5 || claim.proposal === null) return [];
          const ious = real.filter((error) => isRight(claim, error)).map((error) => overlap(claim, error));
          return ious.length === 0 ? [] : [Math.max(...ious)];
        }),
      ),
    };
  });
}

/** How far real missing parts come: seen by the judge, measured as a candidate, reported with a probability. */
export interface MissingFunnel {
  real: number;
  /** The judge predicts a component of the right class there, among unlabelled pixels. */
  seen: number;
  /** The scan makes a candidate of it. */
  candidates: number;
  /** Seen ones with a right finding of at least each of `THRESHOLDS`. */
  found: { threshold: number; count: number }[];
}

/** `seen` and `candidates` are claims of kind `missing_part` at any probability. */
export function missingFunnel(
  errors: readonly RealError[],
  seen: readonly RealClaim[],
  candidates: readonly RealClaim[],
  findings: readonly RealClaim[],
): MissingFunnel {
  const real = errors.filter(({ kind }) => kind === 'missing_part');
  const among = (claims: readonly RealClaim[], of: readonly RealError[]): RealError[] =>
    of.filter((error) => claims.some((claim) => isRight(claim, error)));
  const visible = among(seen, real);
  return {
    real: real.length,
    seen: visible.length,
    candidates: among(candidates, visible).length,
    found: THRESHOLDS.map((threshold) => ({
      threshold,
      count: among(
        findings.filter(({ probability }) => probability >= threshold),
        visible,
      ).length,
    })),
  };
}

/**
 * Kendall's tau-b (Kendall 1945) of two lists, -1..1, ties in either corrected for; null if one of them has no order.
 */
export function kendallTau(a: readonly number[], b: readonly number[]): number | null {
  let agree = 0;
  let untiedA = 0;
  let untiedB = 0;
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const [inA, inB] = [
        Math.sign((a[i] as number) - (a[j] as number)),
        Math.sign((b[i] as number) - (b[j] as number)),
      ];
      agree += inA * inB;
      untiedA += Math.abs(inA);
      untiedB += Math.abs(inB);
    }
  }
  return untiedA === 0 || untiedB === 0 ? null : agree / Math.sqrt(untiedA * untiedB);
}

function overlap({ proposal }: RealClaim, { pixels }: RealError): number {
  const shared = pixels.filter((pixel) => proposal?.has(pixel)).length;
  return shared / ((proposal?.size ?? 0) + pixels.length - shared);
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return null;
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
}
