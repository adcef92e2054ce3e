import { z } from 'zod';
import type { Decision } from '../domain/decide/decision.js';
import {
  kindsText,
  type LeftOut,
  leftOutSchema,
  missingImages,
  missingSchema,
  trainingLeftOutSchema,
} from '../domain/images/leftOut.js';
import { notJudged } from '../domain/scan/counts.js';
import type { StepResults } from '../domain/steps.js';
import type { ScanImageRow } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readJson } from '../storage/tables/json.js';
import type { LeftOutGroup } from './data.js';

const NAMED = 10;

/** The images that the steps of an iteration left out, step by step; older steps do not record them. */
export async function leftOutOfIteration(
  store: ObjectStore,
  { draw, sample, train }: StepResults,
  images: readonly Pick<ScanImageRow, 'imageId' | 'fileName' | 'kinds' | 'error'>[],
  decision: Decision,
): Promise<LeftOutGroup[]> {
  const missingKey = draw?.outputs.missing;
  const missing = missingKey === undefined ? [] : missingImages(await readJson(store, missingKey, missingSchema));
  const trainKey = train?.outputs.leftOut;
  const trained =
    trainKey === undefined ? { train: [], val: [] } : await readJson(store, trainKey, trainingLeftOutSchema);
  const sampleKey = sample?.outputs.leftOut;
  const picked = sampleKey === undefined ? [] : await readJson(store, sampleKey, z.array(leftOutSchema));
  const unreadable = images
    .filter((image) => notJudged(image) === 'unreadable')
    .map((image) => leftOutSchema.parse({ ...image, kind: 'unreadable', reason: image.error }));
  const groups: [string, readonly LeftOut[]][] = [
    ['drawn', missing],
    ['scanned', unreadable],
    ['picked', picked],
    ['training', trained.train],
    ['validation', trained.val],
    ['test', decision.leftOut],
  ];
  return groups.flatMap(([of, lost]) => {
    const why = kindsText(lost);
    const first = lost.slice(0, NAMED).map(({ fileName, reason }) => ({ fileName, reason }));
    return why === null ? [] : [{ of, images: lost.length, why, first }];
  });
}
