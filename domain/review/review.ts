import { z } from 'zod';
import { sha256Schema } from '../base/ids.js';
import { boxIou } from '../geometry/boxIou.js';
import { type FindingKind, findingKindSchema } from '../tables.js';
import { latestAnswers } from './latestAnswers.js';
import { reviewerSchema } from './reviewImport.js';

/**
 * wrong: the label is wrong there; accept: and the proposal is right; right: the label is right; unsure: the reviewer
 * cannot tell.
 */
export const VERDICTS = ['wrong', 'accept', 'right', 'unsure'] as const;

/** Boxes that overlap by at least this (IoU) mean the same place. */
const SAME_PLACE = 0.5;

const share = z.number().min(0).max(1);

/** Names a finding through every export and import. */
export const findingIdSchema = z.string().min(1).max(64);

/**
 * A reviewer's answer to a finding, one line of `pools/<pool>/reviews/<ulid>.jsonl`, with the data that identify the
 * finding in later scans.
 */
export const verdictSchema = z.object({
  findingId: findingIdSchema,
  imageId: sha256Schema,
  /** The reviewed label: a corrected label is judged anew. */
  labelSha256: sha256Schema,
  kind: findingKindSchema,
  classId: z.number().int().nonnegative(),
  suggestedClassId: z.number().int().nonnegative().nullable(),
  /** The finding's box, as shares of the upright image. */
  x0: share,
  y0: share,
  x1: share,
  y1: share,
  /** The scan's probability. */
  pWrong: share,
  /** The same before earlier verdicts moved it; later corrections are learned from it. */
  pModel: share,
  /** The chance with which a reviewer was to see the finding; null if unknown. */
  propensity: share.nullable(),
  verdict: z.enum(VERDICTS),
  /** The label that replaced the reviewed one; null if there is none. */
  correctedSha256: sha256Schema.nullable(),
  reviewer: reviewerSchema.nullable(),
  comment: z.string().max(2_000).nullable(),
  reviewedAt: z.iso.datetime(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** A suspect region, reported already or soon. Its box is in shares of the upright image. */
export interface Region {
  /** Absent if the region has no id yet. */
  findingId?: string;
  imageId: string;
  labelSha256: string;
  kind: FindingKind;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** The last answer to each finding, by finding id. */
export const latestVerdicts = (verdicts: readonly Verdict[]): Map<string, Verdict> =>
  latestAnswers(verdicts, ({ findingId }) => findingId);

/** The number of wrong ones among the findings of each kind that were answered with wrong, accept or right. */
export function precisionByKind(
  verdicts: readonly Verdict[],
): { kind: FindingKind; answered: number; wrong: number; unsure: number; precision: number | null }[] {
  const latest = [...latestVerdicts(verdicts).values()];
  return [...new Set(latest.map(({ kind }) => kind))].sort().map((kind) => {
    const own = latest.filter((verdict) => verdict.kind === kind);
    const unsure = own.filter(({ verdict }) => verdict === 'unsure').length;
    const wrong = own.filter(({ verdict }) => verdict === 'wrong' || verdict === 'accept').length;
    const answered = own.length - unsure;
    return { kind, answered, wrong, unsure, precision: answered === 0 ? null : wrong / answered };
  });
}

/** Steps of probability in which answers are counted. */
const STEPS = [0.25, 0.5, 0.7, 0.85, 0.95] as const;

/** By steps of the scan's own probability: its mean, and how often reviewers found the label wrong. */
export function reliabilityOf(
  verdicts: readonly Verdict[],
): { from: number; answered: number; claimed: number; observed: number }[] {
  const answered = [...latestVerdicts(verdicts).values()].filter(({ verdict }) => verdict !== 'unsure');
  return STEPS.flatMap((from, index) => {
    const own = answered.filter(({ pModel }) => pModel >= from && pModel < (STEPS[index + 1] ?? 2));
    if (own.length === 0) return [];
    return [
      {
        from,
        answered: own.length,
        claimed: own.reduce((sum, { pModel }) => sum + pModel, 0) / own.length,
        observed: own.filter(({ verdict }) => verdict !== 'right').length / own.length,
      },
    ];
  });
}

/**
 * True if a reviewer answered "right" to this finding, or to one of the same kind on the same label at the same place:
 * another model finds the same region under another id. The finding's own last answer has precedence.
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
    const key = labelOf(verdict);
    if (!right.get(key)?.push(verdict)) right.set(key, [verdict]);
  }
  return (finding) => {
    const own = finding.findingId === undefined ? undefined : latest.get(finding.findingId);
    if (own !== undefined) return own.verdict === 'right';
    return (right.get(labelOf(finding)) ?? []).some((verdict) => boxIou(boxOf(verdict), boxOf(finding)) >= SAME_PLACE);
  };
}

/** Equal labels of two images are two labels: each is right or wrong by its own picture. */
const labelOf = ({ imageId, labelSha256, kind }: Region): string => `${imageId} ${labelSha256} ${kind}`;

const boxOf = ({ x0, y0, x1, y1 }: Region) => [x0, y0, x1, y1] as const;
