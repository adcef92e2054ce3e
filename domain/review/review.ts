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

/** Boxes that overlap by at least this (IoU) speak of the same place. */
const SAME_PLACE = 0.5;

const share = z.number().min(0).max(1);

/** Names a finding through every export and import. */
export const findingIdSchema = z.string().min(1).max(64);

/**
 * A reviewer's answer to a finding, one line of `pools/<pool>/reviews/<ulid>.jsonl`, with what is needed to know the
 * finding again in later scans.
 */
export const verdictSchema = z.object({
  findingId: findingIdSchema,
  imageId: sha256Schema,
  /** The label that was looked at: a corrected one is judged anew. */
  labelSha256: sha256Schema,
  kind: findingKindSchema,
  classId: z.number().int().nonnegative(),
  suggestedClassId: z.number().int().nonnegative().nullable(),
  /** The finding's box, as shares of the upright image. */
  x0: share,
  y0: share,
  x1: share,
  y1: share,
  /** What the scan thought. */
  pWrong: share,
  /** The same before earlier verdicts moved it: what later corrections are learned on. */
  pModel: share,
  /** The chance with which the finding was to be shown to a reviewer; null where it is not known. */
  propensity: share.nullable(),
  verdict: z.enum(VERDICTS),
  /** The label that took the place of the one looked at; null where there is none. */
  correctedSha256: sha256Schema.nullable(),
  reviewer: reviewerSchema.nullable(),
  comment: z.string().max(2_000).nullable(),
  reviewedAt: z.iso.datetime(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** A suspect region, reported or about to be. Its box is in shares of the upright image. */
export interface Region {
  /** Left out where the region has no id yet. */
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

/** Of the findings of each kind that were answered with wrong, accept or right: how many were wrong. */
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

/**
 * By steps of the scan's own probability: what it claimed on average, and how often reviewers found the label wrong.
 */
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
 * True where a reviewer said "right" of this finding, or of one of the same kind on the same label at the same place:
 * another model finds the same region again under another id. The finding's own last answer has precedence.
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
