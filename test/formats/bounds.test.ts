import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { encodeBrush } from '../../formats/labelStudio/brush.js';
import type { ReviewFormat } from '../../formats/manifest.js';
import { classTable } from '../../formats/palette.js';
import { WRITERS } from '../../formats/writers.js';
import { manifestImage, readBack, saveJson, writePart } from '../pool/review/kit.js';
import { save, TAXONOMY } from '../support/pictures/pictures.js';

const WIDTH = 4_000;
const HEIGHT = 3_000;
const PIECES = 1_000;
const SIDE = 60;
const whole = { width: WIDTH, height: HEIGHT };

/** Corners of the pieces, 40 a row. */
const corners = Array.from({ length: PIECES }, (_, piece) => ({
  x: (piece % 40) * 100 + 10,
  y: Math.floor(piece / 40) * 120 + 10,
}));
const area = (raster: Uint8Array | string | undefined): number =>
  typeof raster === 'object' ? raster.reduce((sum, value) => sum + (value === 1 ? 1 : 0), 0) : -1;

// Quadratic code takes minutes at these sizes.
describe('large and crowded labels', function () {
  this.timeout(20_000);
  let folder: string;
  const image = manifestImage(1, whole);
  const empty = (format: ReviewFormat) => writePart(join(folder, 'out'), format, []);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are read from YOLO: 1,000 pieces on 12 megapixels', async () => {
    const lines = corners.map(({ x, y }) => {
      const ring = [x, y, x + SIDE, y, x + SIDE, y + SIDE, x, y + SIDE];
      return `0 ${ring.map((at, index) => at / (index % 2 === 0 ? WIDTH : HEIGHT)).join(' ')}`;
    });
    await save(folder, 'back/labels/front/1.txt', lines.join('\n'));
    await save(folder, 'back/data.yaml', 'names: [hood]\n');
    const found = await readBack(join(folder, 'back'), { ...(await empty('yolo')), images: [image] });
    assert.equal(area(found.get(image.imageId)), PIECES * SIDE * SIDE);
  });

  it('are read from Label Studio: 1,000 brush masks on 12 megapixels', async () => {
    const result = corners.map(({ x, y }) => {
      const rows = Array.from({ length: SIDE }, (_, row) => (y + row) * WIDTH + x);
      const rle = encodeBrush(Int32Array.from(rows.flatMap((start) => [start, start + SIDE])), WIDTH * HEIGHT);
      const value = { format: 'rle', rle, brushlabels: ['hood'] };
      return { type: 'brushlabels', original_width: WIDTH, original_height: HEIGHT, image_rotation: 0, value };
    });
    const path = await saveJson(folder, 'tasks.json', [{ data: { file_name: '1.jpg' }, annotations: [{ result }] }]);
    const found = await readBack(path, { ...(await empty('label-studio')), images: [image] });
    assert.equal(area(found.get(image.imageId)), PIECES * SIDE * SIDE);
  });

  it('come back the same from YOLO, with 200 nested rings and a piece full of holes', async () => {
    const side = 1_024;
    const speckled = Uint8Array.from({ length: side * side }, (_, pixel) => {
      const [x, y] = [pixel % side, Math.floor(pixel / side)];
      const depth = Math.min(x, y, side - 1 - x, side - 1 - y);
      if (depth < 200) return 1 + (depth % 2);
      return x % 4 === 1 && y % 4 === 1 ? 0 : 3;
    });
    const large = manifestImage(2, { width: side, height: side });
    const manifest = await writePart(join(folder, 'yolo'), 'yolo', [{ image: large, raster: speckled }]);
    const found = await readBack(join(folder, 'yolo'), manifest);
    assert.deepEqual(found.get(large.imageId), speckled);
  });

  for (const format of ['coco', 'yolo', 'label-studio'] as const) {
    it(`are refused as ${format} if they hold nothing but speckles, and nothing is written`, async () => {
      const side = 1_002;
      const speckled = Uint8Array.from({ length: side * side }, (_, pixel) =>
        pixel % 2 === 0 && Math.floor(pixel / side) % 2 === 0 ? 1 : 0,
      );
      const small = manifestImage(3, { width: side, height: side });
      const place = join(folder, format);
      const writer = WRITERS[format]({
        folder: place,
        facts: { exportId: 'E', classes: classTable(TAXONOMY), simplifyPx: 0 },
      });
      await assert.rejects(
        writer.add({ image: small, raster: speckled }),
        (error) =>
          error instanceof PartloopError && /251001 pieces/.test(error.message) && /masks/.test(error.hint ?? ''),
      );
      await writer.finish();
      const written = { coco: 'annotations.json', yolo: 'images.txt', 'label-studio': 'tasks.json' }[format];
      assert.doesNotMatch(await readFile(join(place, written), 'utf8'), /3\.jpg/);
    });
  }
});
