import { counted } from '../base/counted.js';
import type { ModelCard } from '../train/modelCard.js';
import type { FoldResult } from '../train/step.js';

/** With fewer images the estimates of a scan are little more than its prior assumptions (docs/mislabel.md, Limits). */
export const ENOUGH_IMAGES = 100;
/** Largest number of weak classes that are named. */
const NAMED = 8;

/** Warnings for a scan of few images; none if there are enough. */
export function fewImagesWarning(images: number): string[] {
  if (images >= ENOUGH_IMAGES) return [];
  return [
    `${counted(images, 'image is', 'images are')} too few to estimate from: with fewer than ${ENOUGH_IMAGES}, the probabilities ` +
      'mostly repeat prior assumptions. Use the order of the findings, not their numbers',
  ];
}

/** Classes about which the judges know too little to object, with their number. */
function weakJudgesWarning(cards: readonly Pick<ModelCard, 'valClassIou'>[], minClassIou: number): string[] {
  const measured = cards.flatMap(({ valClassIou }) => Object.entries(valClassIou).filter(([, iou]) => iou !== null));
  const names = new Set(measured.map(([name]) => name));
  const weak = new Set(measured.filter(([, iou]) => (iou ?? 0) < minClassIou).map(([name]) => name));
  if (weak.size === 0) return [];
  return [
    `the judges are weak at ${weak.size} of ${counted(names.size, 'class', 'classes')} (validation IoU below ` +
      `${minClassIou}): findings there rest on prior assumptions and on the taxonomy's rules: ` +
      `${[...weak].sort().slice(0, NAMED).join(', ')}${weak.size > NAMED ? ', …' : ''}. Train judges longer, on larger or on more images`,
  ];
}

/** Warnings about a scan's result, the most important first. */
export function scanWarnings(scan: {
  /** Number of judged images. */
  images: number;
  cards: readonly Pick<ModelCard, 'valClassIou'>[];
  minClassIou: number;
  failedShards: readonly number[];
  folds: readonly Pick<FoldResult, 'facts'>[];
}): string[] {
  const { images, cards, minClassIou, failedShards, folds } = scan;
  return [
    ...fewImagesWarning(images),
    ...weakJudgesWarning(cards, minClassIou),
    ...folds.flatMap(({ facts: { leftOutWhy } }, fold) =>
      leftOutWhy == null ? [] : [`fold ${fold} was trained without some images: ${leftOutWhy}`],
    ),
    ...(failedShards.length === 0 ? [] : [`shards that failed and are not judged: ${failedShards.join(', ')}`]),
  ];
}
