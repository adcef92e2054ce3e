import { z } from 'zod';
import { sha256Schema } from './ids.js';
import { FINDING_KINDS, type FindingKind, findingKindSchema } from './tables.js';

/** What a reviewer may say of a finding: the label is wrong there, it is right, or it cannot be told. */
export const VERDICTS = ['wrong', 'right', 'unsure'] as const;

/** Two findings of one kind on one label are the same where their boxes overlap at least so much (IoU). */
const SAME_REGION_IOU = 0.5;

const share = z.number().min(0).max(1);

/** One line of `pools/<pool>/reviews/<ulid>.jsonl`. Boxes are fractions of the upright image: x0, y0, x1, y1. */
export const verdictSchema = z.object({
  findingId: z.string().min(1).max(64),
  imageId: sha256Schema,
  /** The label that was judged, not the corrected one. */
  labelSha256: sha256Schema,
  kind: findingKindSchema,
  classId: z.number().int().nonnegative(),
  suggestedClassId: z.number().int().nonnegative().nullable(),
  box: z.tuple([share, share, share, share]),
  verdict: z.enum(VERDICTS),
  /** Probability that the scan gave, and that of having been shown to a reviewer; null where not known. */
  pWrong: share.nullable(),
  propensity: share.nullable(),
  /** The label that the reviewer put in its place; null where there is none. */
  correctedSha256: sha256Schema.nullable(),
  reviewer: z.string().max(200).nullable(),
  comment: z.string().max(2_000).nullable(),
  at: z.iso.datetime(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** A suspect region, reported or about to be. */
export interface Region {
  /** Left out where the region has no id yet. */
  findingId?: string;
  labelSha256: string;
  kind: FindingKind;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** How often reviewers agreed with the findings of a kind. */
export interface KindPrecision {
  kind: FindingKind;
  wrong: number;
  right: number;
  unsure: number;
  /** wrong / (wrong + right); null where nobody has decided. */
  precision: number | null;
}

/** The last word on every finding: the latest time wins, and of equal times the later in the list. */
export function latestVerdicts(verdicts: readonly Verdict[]): Map<string, Verdict> {
  const latest = new Map<string, Verdict>();
  for (const verdict of verdicts) {
    const known = latest.get(verdict.findingId);
    if (known === undefined || verdict.at >= known.at) latest.set(verdict.findingId, verdict);
  }
  return latest;
}

/** Precision of each kind that has verdicts, by the last word on each finding, in the order of `FINDING_KINDS`. */
export function precisionByKind(verdicts: readonly Verdict[]): KindPrecision[] {
  const latest = [...latestVerdicts(verdicts).values()];
  return FINDING_KINDS.flatMap((kind) => {
    const own = latest.filter((verdict) => verdict.kind === kind);
    if (own.length === 0) return [];
    const [wrong, right, unsure] = VERDICTS.map((word) => own.filter(({ verdict }) => verdict === word).length);
    const decided = (wrong ?? 0) + (right ?? 0);
    return [
      {
        kind,
        wrong: wrong ?? 0,
        right: right ?? 0,
        unsure: unsure ?? 0,
        precision: decided === 0 ? null : (wrong ?? 0) / decided,
      },
    ];
  });
}

/**
 * True where a reviewer said "right" of this finding, or of one of the same kind on the same label whose box overlaps by at
 * least half: another model finds the same region again under another id. The finding's own last verdict has precedence.
 */
export function silenced(finding: Region, verdicts: readonly Verdict[]): boolean {
  return silencer(verdicts)(finding);
}

/** The same for many findings: verdicts are sorted once. */
export function silencer(verdicts: readonly Verdict[]): (finding: Region) => boolean {
  const latest = latestVerdicts(verdicts);
  const right = new Map<string, Verdict[]>();
  for (const verdict of latest.values()) {
    if (verdict.verdict !== 'right') continue;
    const key = `${verdict.labelSha256} ${verdict.kind}`;
    right.set(key, [...(right.get(key) ?? []), verdict]);
  }
  return (finding) => {
    const own = finding.findingId === undefined ? undefined : latest.get(finding.findingId);
    if (own !== undefined) return own.verdict === 'right';
    const box = [finding.x0, finding.y0, finding.x1, finding.y1] as const;
    const candidates = right.get(`${finding.labelSha256} ${finding.kind}`) ?? [];
    return candidates.some((verdict) => boxIou(verdict.box, box) >= SAME_REGION_IOU);
  };
}

type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** Intersection over union of two boxes, 0..1; 0 where both are empty. */
export function boxIou(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const both = width * height;
  const union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both;
  return union <= 0 ? 0 : both / union;
}
