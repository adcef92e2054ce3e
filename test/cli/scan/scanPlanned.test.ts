import assert from 'node:assert/strict';
import sharp from 'sharp';
import { planStandaloneScan } from '../../../cli/scan/scanPlanned.js';
import { seededRandom } from '../../../domain/base/random.js';
import { type ScanRequest, scanRequestSchema } from '../../../domain/messages.js';
import { type ImportItem, NO_FACTS } from '../../../formats/reading/importItem.js';
import { digestOfTaxonomy } from '../../../storage/digest.js';
import { openPool } from '../../../storage/pool/pool.js';
import { registerBenchmark } from '../../../storage/registry.js';
import { runImport } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

/** Pictures that are not copies of each other. */
function noise(seed: number): Promise<Buffer> {
  const random = seededRandom(seed);
  const pixels = Uint8Array.from({ length: 24 * 16 * 3 }, () => Math.floor(random() * 256));
  return sharp(pixels, { raw: { width: 24, height: 16, channels: 3 } })
    .png()
    .toBuffer();
}

const item = (seed: number, split: 'train' | 'val' | 'test'): ImportItem => ({
  fileName: `${seed}.jpg`,
  image: { kind: 'bytes', read: () => noise(seed) },
  label: async () => ({ pixels: new Uint8Array(24 * 16).fill(1), notes: [] }),
  facts: { ...NO_FACTS, split },
});

describe('the announcement of a scan', () => {
  const store = memoryStore();
  const plan = (request: Partial<ScanRequest>, hasModel = false) =>
    planStandaloneScan(store, scanRequestSchema.parse({ pool: 'cars', ...request }), { hasModel });

  before(() =>
    runImport(store, [item(1, 'train'), item(2, 'train'), item(3, 'train'), item(4, 'val'), item(5, 'test')]),
  );

  it('counts the images that it will judge, and the others by reason', async () => {
    const { images, poolImages, notScanned } = await plan({});
    assert.deepEqual([images, poolImages, notScanned], [3, 5, { otherVal: 1, otherTest: 1 }]);
    assert.equal((await plan({ split: 'all' })).images, 5);
  });

  it('names the folds, with the settings that apply to them', async () => {
    const { judge, folds, quarantineAt } = await plan({
      iterations: 40,
      settings: { scan: { quarantineAt: 0.7 }, train: { imageSize: 64 } },
    });
    assert.equal(judge, 'folds');
    assert.deepEqual([folds?.count, folds?.iterations, folds?.imageSize, quarantineAt], [2, 40, 64, 0.7]);
    assert.equal((await plan({ crossValidate: 3 })).folds?.count, 3);
    assert.deepEqual([(await plan({}, true)).judge, (await plan({}, true)).folds], ['model', null]);
  });

  it('names the model in production if there is one, unless folds are asked for', async () => {
    const digest = digestOfTaxonomy((await openPool(store, 'cars')).taxonomy);
    const model = { loop: 'cars', iteration: 1, scan: 's', card: 'c', digest: 'a'.repeat(64) };
    await registerBenchmark(store, digest, model, 'a test');
    assert.equal((await plan({})).judge, 'benchmark');
    assert.equal((await plan({ crossValidate: 2 })).judge, 'folds');
  });

  it('refuses a scan of too few images before it starts anything', async () => {
    await assert.rejects(plan({ split: 'test', crossValidate: 2 }), {
      code: 'pool-exhausted',
      message: /has 1 image to judge \(the test split\), and 2 folds need at least 2/,
    });
  });
});
