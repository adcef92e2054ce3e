import { z } from 'zod';
import { type FindingRow, findingKindSchema } from '../tables.js';
import { TAG_NAMES, type TagName, type Tags } from '../tags.js';

/** A finding as the board lists it, with what can be asked for. */
export type QueueFinding = Pick<
  FindingRow,
  'findingId' | 'imageId' | 'kind' | 'classId' | 'suggestedClassId' | 'pWrong' | 'areaShare'
>;

export const QUEUE_ORDERS = ['probability', 'gain'] as const;

const label = z.coerce.number().int().min(0).max(255);
const probability = z.coerce.number().min(0).max(1);

/** What a reviewer asks for, as the query of an address has it: texts, or absent. */
export const queueFilterSchema = z.object({
  kind: findingKindSchema.optional(),
  /** Label value that a finding objects to. */
  given: label.optional(),
  /** Label value that it proposes. */
  proposed: label.optional(),
  from: probability.default(0),
  to: probability.default(1),
  /** `open`: without an answer. */
  answers: z.enum(['open', 'answered', 'all']).default('open'),
  reviewer: z.string().max(200).optional(),
  tag: z.enum(TAG_NAMES as readonly [TagName, ...TagName[]]).optional(),
  value: z.string().max(64).optional(),
  order: z.enum(QUEUE_ORDERS).default('probability'),
});
export type QueueFilter = z.infer<typeof queueFilterSchema>;

/** Rare classes count more, but not without bound: as repeat factors of LVIS (arXiv 1908.03195). */
const RARITY_EXPONENT = 0.5;
const RARITY_MAX = 4;

/**
 * What an answer is worth: the probability of an error, its share of the picture, and how rare its class is among the
 * findings' images.
 */
export function expectedGain({ pWrong, areaShare, classId, suggestedClassId }: QueueFinding, rarity: Rarity): number {
  return pWrong * areaShare * Math.max(rarity(classId), rarity(suggestedClassId ?? 0));
}

/** How rare a class is, 1 for the most frequent one and for background. */
export type Rarity = (labelValue: number) => number;

/** @param images images by label value */
export function rarityOf(images: ReadonlyMap<number, number>): Rarity {
  const most = Math.max(1, ...[...images].flatMap(([value, count]) => (value === 0 ? [] : count)));
  return (value) => {
    if (value === 0) return 1;
    return Math.min(RARITY_MAX, (most / Math.max(1, images.get(value) ?? 0)) ** RARITY_EXPONENT);
  };
}

/**
 * Places of findings, the greatest value first; of equal ones by id, so that the order is the same on each server.
 *
 * @param values of the findings, by place, as `ids`
 */
export function inOrder(values: Float64Array, ids: readonly string[]): Uint32Array {
  const places = Uint32Array.from(ids, (_, place) => place);
  return places.sort((a, b) => {
    const difference = (values[b] as number) - (values[a] as number);
    if (difference !== 0) return difference;
    return (ids[a] as string) < (ids[b] as string) ? -1 : 1;
  });
}

/** True for a filter whose answer depends on the images: on their tags, or on how rare their classes are. */
export const asksOfImages = ({ tag, value, order }: QueueFilter): boolean =>
  (tag !== undefined && value !== undefined) || order === 'gain';

/** True for a filter that lets every finding through, whatever answers it has. */
export const asksAll = ({ kind, given, proposed, from, to, tag, value }: QueueFilter): boolean =>
  from === 0 &&
  to === 1 &&
  [kind, given, proposed].every((one) => one === undefined) &&
  (tag === undefined || value === undefined);

/** True if a finding has what a filter asks for, whatever answers it has. */
export function matches(finding: QueueFinding, tags: Tags | null, filter: QueueFilter): boolean {
  const { kind, given, proposed, from, to, tag, value } = filter;
  if (kind !== undefined && finding.kind !== kind) return false;
  if (given !== undefined && finding.classId !== given) return false;
  if (proposed !== undefined && finding.suggestedClassId !== proposed) return false;
  if (finding.pWrong < from || finding.pWrong > to) return false;
  return tag === undefined || value === undefined || String(tags?.[tag] ?? '') === value;
}
