import { importVerdicts } from '../../../pool/review/importVerdicts.js';
import { SCAN } from '../../../test/pool/review/scannedPool.js';
import { mutateBytes, mutateText } from '../mutateBytes.js';
import type { Target } from '../target.js';
import { copyOf, NOW, rowsOf, sameLabels, soundLabels } from './pools.js';
import { exported } from './review.js';

const rowsFor = (names: readonly string[]): string =>
  `finding_id,verdict,reviewer,comment\n${names
    .map((name, at) => `f-${name},${['accept', 'wrong', 'right'][at % 3]},me,"a, b"\n`)
    .join('')}`;

/** `review import` of a spoiled table: a label changes only where an answer to a finding of its image was taken. */
export const verdictImport: Target = {
  name: 'review-verdicts',
  share: 12,
  async run(choices, folder) {
    const store = await copyOf((await exported.coco()).store);
    const before = await rowsOf(store);
    const text = rowsFor([...before.values()].map(({ fileName }) => fileName));
    const body = choices.chance(0.85) ? mutateText(text, choices) : mutateBytes(Buffer.from(text), choices);
    const path = await folder.write('verdicts.csv', body);
    const request = { path, scan: SCAN, reviewer: null, now: NOW };
    try {
      const { answered, revised } = await importVerdicts(store, request);
      const after = await rowsOf(store);
      sameLabels(before, after, () => revised > 0 && answered > 0, 'no answer was taken');
      await soundLabels(store, before, after);
      return answered > 0 ? 'answered' : 'nothing answered';
    } catch (error) {
      sameLabels(before, await rowsOf(store), () => false, 'the import failed');
      throw error;
    }
  },
};
