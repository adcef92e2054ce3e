import assert from 'node:assert/strict';
import { seededRandom } from '../../../../domain/base/random.js';
import { scanConfigSchema } from '../../../../domain/config.js';
import { knownTags } from '../../../../domain/sample/cells.js';
import { analyseWithInjection, type ReduceEntry, reduceScan } from '../../../../domain/scan/index.js';
import { showsInterior } from '../../../../domain/scan/verdict/interior.js';
import { NO_TAGS, type Tags } from '../../../../domain/tags.js';
import { classValue, drawCar, fill, mistaken, scheme, seen } from '../scene.js';

const SIZE = 96;
const NOTHING = new Uint8Array(SIZE * SIZE);
/** 0.9 and 0.45 of 255. */
const SURE = new Uint8Array(SIZE * SIZE).fill(230);
const UNSURE = new Uint8Array(SIZE * SIZE).fill(115);

function entryOf(
  n: number,
  { label, mask, confidence }: { label: Uint8Array; mask: Uint8Array; confidence: Uint8Array },
  fields: Partial<Tags> = {},
): ReduceEntry {
  const tags = { ...NO_TAGS, ...fields };
  const input = seen(label, mask, SIZE, confidence);
  return {
    ...{ imageId: n.toString(16).padStart(64, '0'), fileName: `${n}.jpg`, labelSha256: 'b'.repeat(64), model: 'model' },
    ...{ tags, analysis: analyseWithInjection(input, scheme, tags, seededRandom('injection', n)) },
  };
}

/** A door that fills the picture. */
const door = (): Uint8Array => {
  const label = NOTHING.slice();
  fill(label, SIZE, [0, 10, SIZE, SIZE], classValue('left_front_door'));
  return label;
};

describe('pictures of the inside of a car', () => {
  const dashboard = { label: NOTHING, mask: drawCar(SIZE), confidence: UNSURE };
  const forgotten = { label: NOTHING, mask: drawCar(SIZE), confidence: SURE };

  it('are those with hardly anything labelled in which the model sees nothing, or is unsure of what it sees', () => {
    assert.equal(showsInterior(entryOf(1, dashboard)), true);
    assert.equal(showsInterior(entryOf(1, { label: NOTHING, mask: NOTHING, confidence: SURE })), true);
    assert.equal(showsInterior(entryOf(1, forgotten)), false);
  });

  it('are never cars that somebody labelled, zoomed or not, however weak the model', () => {
    for (const label of [drawCar(SIZE), door()])
      for (const mask of [NOTHING, drawCar(SIZE), label])
        for (const confidence of [SURE, UNSURE])
          assert.equal(showsInterior(entryOf(1, { label, mask, confidence })), false);
  });

  it('are not guessed where the tag says it', () => {
    assert.equal(showsInterior(entryOf(1, dashboard, { region: 'exterior' })), false);
  });

  it('are never set aside as mislabelled, while labels that were forgotten are', () => {
    const random = seededRandom('interiors');
    const cars = Array.from({ length: 60 }, (_, n) => {
      const label = drawCar(SIZE, random);
      const { mask, confidence } = mistaken(label, SIZE, random);
      return entryOf(n, { label, mask, confidence });
    });
    const entries = [...cars, entryOf(60, dashboard), entryOf(61, forgotten)];
    // Everything that is at all suspect is over this threshold.
    const config = scanConfigSchema.parse({ quarantineAt: 0.0001, quarantineCap: 1 });
    const { images } = reduceScan(entries, scheme, config, null);
    const [interior, exterior] = images.slice(-2);
    assert.ok((interior?.pMislabelled ?? 0) >= 0.0001);
    assert.deepEqual([interior?.quarantined, exterior?.quarantined], [false, true]);
    const regions = images.map((row) => knownTags(NO_TAGS, row).region);
    assert.deepEqual(regions, [...cars.map(() => null), 'interior', null]);
  });
});
