import { z } from 'zod';
import { sha256Schema } from './ids.js';
import type { Candidate, ReduceEntry } from './mislabel/index.js';
import { findingKindSchema } from './tables.js';

const share = z.number().min(0).max(1);

/**
 * wrong: the label is wrong there; accept: and the proposal is right; right: the label is right; unsure: the reviewer cannot
 * tell.
 */
export const VERDICTS = ['wrong', 'accept', 'right', 'unsure'] as const;

/** A reviewer's answer to a finding, with what is needed to know the finding again in later scans. */
export const verdictSchema = z.object({
  findingId: z.string().max(64),
  imageId: sha256Schema,
  /** The label that was looked at: a corrected one is judged anew. */
  labelSha256: sha256Schema,
  kind: findingKindSchema,
  classId: z.number().int().nonnegative(),
  suggestedClassId: z.number().int().nonnegative().nullable(),
  /** The finding's box, as shares of the image. */
  x0: share,
  y0: share,
  x1: share,
  y1: share,
  /** What the scan thought. */
  pWrong: share,
  verdict: z.enum(VERDICTS),
  reviewer: z.string().max(200).nullable(),
  comment: z.string().max(2_000).nullable(),
  reviewedAt: z.string(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** The last answer to each finding, by finding id. `verdicts` in the order in which they were given. */
export function latestVerdicts(verdicts: readonly Verdict[]): Map<string, Verdict> {
  return new Map(verdicts.map((verdict) => [verdict.findingId, verdict]));
}

/** Of the findings of each kind that were answered with wrong or right: how many were wrong. */
export function precisionByKind(
  verdicts: readonly Verdict[],
): { kind: string; answered: number; wrong: number; unsure: number; precision: number | null }[] {
  const latest = [...latestVerdicts(verdicts).values()];
  return [...new Set(latest.map(({ kind }) => kind))].sort().map((kind) => {
    const own = latest.filter((verdict) => verdict.kind === kind);
    const unsure = own.filter(({ verdict }) => verdict === 'unsure').length;
    const wrong = own.filter(({ verdict }) => verdict === 'wrong' || verdict === 'accept').length;
    const answered = own.length - unsure;
    return { kind, answered, wrong, unsure, precision: answered === 0 ? null : wrong / answered };
  });
}

/** Boxes that overlap by at least this (IoU) speak of the same place. */
const SAME_PLACE = 0.5;

/**
 * The entries of a scan without the candidates that a reviewer found right: of the same kind, on the same label, at the
 * same place. A label that was corrected since is another label, and nothing of it is silenced.
 */
export function withoutFoundRight(entries: readonly ReduceEntry[], verdicts: readonly Verdict[]): ReduceEntry[] {
  const right = new Map<string, Verdict[]>();
  for (const verdict of latestVerdicts(verdicts).values()) {
    if (verdict.verdict !== 'right') continue;
    const key = `${verdict.imageId} ${verdict.labelSha256}`;
    right.set(key, [...(right.get(key) ?? []), verdict]);
  }
  if (right.size === 0) return [...entries];
  return entries.map((entry) => {
    const answered = right.get(`${entry.imageId} ${entry.labelSha256}`);
    const { analysis } = entry;
    if (answered === undefined || analysis === null) return entry;
    const { width, height } = analysis;
    const open = analysis.candidates.filter(
      (candidate) => !answered.some((verdict) => isSame(candidate, verdict, width, height)),
    );
    return { ...entry, analysis: { ...analysis, candidates: open } };
  });
}

function isSame({ kind, box }: Candidate, verdict: Verdict, width: number, height: number): boolean {
  if (kind !== verdict.kind) return false;
  const [x0, y0, x1, y1] = box;
  const across = Math.min(x1 / width, verdict.x1) - Math.max(x0 / width, verdict.x0);
  const down = Math.min(y1 / height, verdict.y1) - Math.max(y0 / height, verdict.y0);
  const both = Math.max(0, across) * Math.max(0, down);
  const areas = ((x1 - x0) * (y1 - y0)) / (width * height) + (verdict.x1 - verdict.x0) * (verdict.y1 - verdict.y0);
  return both > 0 && both / (areas - both) >= SAME_PLACE;
}
