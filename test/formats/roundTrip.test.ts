import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { decodeBrush, encodeBrush } from '../../formats/labelStudio/brush.js';
import { REVIEW_FORMATS } from '../../formats/manifest.js';
import { referenceRaster } from '../../formats/writers.js';
import {
  assertComesBack,
  HEIGHT,
  holedRaster,
  manifestImage,
  rasters,
  readBack,
  WIDTH,
  writePart,
} from '../pool/review/kit.js';

/** Runs of ones: pairs of the first pixel and the one after the last. */
const runsOf = (pixels: Uint8Array): Int32Array =>
  Int32Array.from([...pixels, 0].flatMap((value, at) => (value === (at === 0 ? 0 : pixels[at - 1]) ? [] : [at])));

describe('an export that is read back', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  for (const format of REVIEW_FORMATS) {
    it(`is the same in every pixel as ${format}: holes, split parts, touching parts and background`, async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(rasters, { minLength: 1, maxLength: 3 }), async (drawn) => {
          const place = join(folder, String(run++));
          const parts = [...drawn, holedRaster()].map((raster, number) => ({ image: manifestImage(number), raster }));
          await assertComesBack(place, format, parts);
        }),
        { numRuns: 12 },
      );
    });
  }

  it('keeps ignored pixels in index masks', async () => {
    const raster = holedRaster().map((value) => (value === 2 ? 255 : value));
    const image = manifestImage(1, { exported: [1, 2, 3, 255] });
    const found = await readBack(folder, await writePart(folder, 'masks', [{ image, raster }]));
    assert.deepEqual(found.get(image.imageId), raster);
  });

  it('differs in simplified polygons exactly as the export announced', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(rasters, async (raster) => {
        const place = join(folder, `simple-${run++}`);
        const image = manifestImage(1);
        const found = await readBack(place, await writePart(place, 'yolo', [{ image, raster }], 1));
        assert.deepEqual(found.get(image.imageId), referenceRaster('yolo', image, raster, 1));
      }),
      { numRuns: 12 },
    );
  });

  it('packs brush masks so that any mask, even a long one, comes back', () => {
    const mask = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 1, max: 40_000 })), { maxLength: 6 });
    fc.assert(
      fc.property(mask, (drawn) => {
        const pixels = Uint8Array.from(drawn.flatMap(([value, length]) => new Array<number>(length).fill(value)));
        const runs = runsOf(pixels);
        assert.deepEqual(decodeBrush(encodeBrush(runs, pixels.length), pixels.length), runs);
      }),
      { numRuns: 12 },
    );
  });

  it('reads brush masks as Label Studio itself packs them', () => {
    // 2 pixels = 8 bytes: sizes 3, 4, 8, 16; a run of 4 zeros, then four literals 255 in a list of their own.
    const bits = [
      (8).toString(2).padStart(32, '0'),
      '00111',
      '0010',
      '0011',
      '0111',
      '1111',
      '1',
      '00',
      '011',
      '00000000',
      '0',
      '00',
      '011',
      '11111111'.repeat(4),
    ].join('');
    const bytes = bits
      .padEnd(Math.ceil(bits.length / 8) * 8, '0')
      .match(/.{8}/g)
      ?.map((byte) => Number.parseInt(byte, 2));
    assert.deepEqual(decodeBrush(bytes ?? [], 2), Int32Array.from([1, 2]));
  });

  it('is refused if a brush mask is cut short or of another size', () => {
    const bytes = encodeBrush(Int32Array.from([0, WIDTH * HEIGHT]), WIDTH * HEIGHT);
    assert.throws(() => decodeBrush(bytes.slice(0, 7), WIDTH * HEIGHT), /cut short/);
    assert.throws(() => decodeBrush(bytes, 5), /not 5/);
  });
});
