import { z } from 'zod';
import { counted } from '../base/counted.js';
import type { NotDrawn } from '../draw/notDrawn.js';
import { type DrawResult, drawCounts } from '../draw/step.js';
import type { ScanImageRow } from '../tables.js';
import { splitChoiceSchema } from './judge/split.js';
import { type ScanResult, scanStep } from './step.js';

/** What stands in the table of images of one that nobody judged. */
export const NO_JUDGE = 'no model may judge it: every one was trained on it, a near duplicate or its vehicle';
export const SHARD_FAILED = 'its shard failed';

/**
 * unreadable: the scan could not read it; unjudged: no model may judge it; failed: its shard failed; null: it was
 * judged.
 */
export function notJudged(image: Pick<ScanImageRow, 'error' | 'kinds'>): 'unreadable' | 'unjudged' | 'failed' | null {
  if (image.error === null) return null;
  if (image.kinds.includes('unreadable')) return 'unreadable';
  return image.error === SHARD_FAILED ? 'failed' : 'unjudged';
}

const drawCountsSchema = z.object({ split: splitChoiceSchema, ...drawCounts });
/** What became of every image of the pool: all but `poolImages` add up to it. */
export const scanCountsSchema = drawCountsSchema.extend(
  scanStep.facts.pick({ scanned: true, unreadable: true, unjudged: true, failed: true }).shape,
);
export type ScanCounts = z.infer<typeof scanCountsSchema>;

/** The counts that a scan's facts hold; null for scans of before they were written down. */
export function countsOf(facts: ScanResult['facts']): ScanCounts | null {
  const parsed = scanCountsSchema.safeParse(facts);
  return parsed.success ? parsed.data : null;
}

/** Facts of a scan: what the draw counted, as far as it did, and what became of the images that it drew. */
export function countFacts(draw: DrawResult['facts'], images: readonly ScanImageRow[]) {
  const drawn = drawCountsSchema.safeParse(draw);
  const fates = images.map(notJudged);
  const of = (fate: ReturnType<typeof notJudged>): number => fates.filter((one) => one === fate).length;
  return {
    ...(drawn.success ? drawn.data : {}),
    scanned: of(null),
    unreadable: of('unreadable'),
    unjudged: of('unjudged'),
    failed: of('failed'),
  };
}

/** Why images are not scanned, in the order in which people ask. */
const WORDS = {
  otherTrain: 'in the training split',
  otherVal: 'in the validation split',
  otherTest: 'in the test split',
  interior: 'of a car interior',
  testVehicle: 'of a vehicle of the test set',
  testCopy: 'copied from a test image',
  heldBack: 'shared with the test set',
  drawnBefore: 'drawn earlier',
  remaining: 'not drawn yet',
  missing: 'missing or changed',
  unreadable: 'unreadable',
  unjudged: 'without a judge',
  failed: 'in failed shards',
} as const satisfies Partial<Record<keyof ScanCounts | NotDrawn, string>>;

/** `40 in the test split, 2 unreadable`; empty if every image is scanned. */
export function notScannedText(counts: Readonly<Partial<Record<keyof typeof WORDS, number>>>): string {
  return (Object.keys(WORDS) as (keyof typeof WORDS)[])
    .filter((name) => (counts[name] ?? 0) > 0)
    .map((name) => `${counts[name]} ${WORDS[name]}`)
    .join(', ');
}

/** `scanned 540 of 600 images; not scanned: 40 in the test split, 20 in the validation split`. */
export function countsText(counts: ScanCounts): string {
  const rest = notScannedText(counts);
  const all = `scanned ${counts.scanned} of ${counted(counts.poolImages, 'image', 'images')}`;
  return rest === '' ? all : `${all}; not scanned: ${rest}`;
}
