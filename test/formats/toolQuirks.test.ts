import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { connectedComponents, skipValues } from '../../domain/geometry/components.js';
import { traceOutlines } from '../../domain/geometry/contours.js';
import { encodeRle } from '../../domain/geometry/rle.js';
import { HEIGHT, manifestImage, readBack, saveJson, WIDTH } from '../pool/review/kit.js';
import { exportedImage, image, NAMES, raster, size } from './exportedImage.js';

const ALL = { x0: 0, y0: 0, x1: WIDTH, y1: HEIGHT };

/** One annotation per class, as written by tools without instances. */
const merged = (category: (value: number) => number, imageId: number | string) =>
  [1, 2, 3].map((value, at) => ({
    id: 900 + at,
    image_id: imageId,
    category_id: category(value),
    segmentation: { size: [HEIGHT, WIDTH], counts: encodeRle((pixel) => raster[pixel] === value, ALL, WIDTH, HEIGHT) },
  }));

describe('a tool that changes an export', function () {
  this.timeout(60_000);
  const exported = exportedImage();

  const readCoco = async (value: unknown) =>
    (await readBack(await saveJson(exported.folder, 'back.json', value), exported.manifest)).get(image.imageId);
  const categories = (from: number) => NAMES.slice(1).map((name, at) => ({ id: from + 2 - at, name }));

  it('COCO: may renumber images, annotations and categories; our ids and the names still identify them', async () => {
    const back = {
      images: [{ id: 'x7', file_name: 'renamed.png', ...size, partloop_image_id: image.imageId }],
      categories: categories(40),
      annotations: merged((value) => 43 - value, 'x7'),
    };
    assert.deepEqual(await readCoco(back), raster);
  });

  it('COCO: may drop our image id, but keeps that of the annotations or the file name', async () => {
    const annotations = merged((value) => 3 - value, 5);
    const back = { categories: categories(0), annotations };
    const kept = annotations.map((entry) => ({ ...entry, attributes: { partloop_image_id: image.imageId } }));
    const renamed = [{ id: 5, file_name: 'renamed.png', ...size }];
    assert.deepEqual(await readCoco({ ...back, annotations: kept, images: renamed }), raster);
    for (const name of ['front/1.jpg', '1.jpg', 'FRONT\\1.JPG', '/data/local-files/front/1.jpg'])
      assert.deepEqual(await readCoco({ ...back, images: [{ id: 5, file_name: name, ...size }] }), raster, name);
  });

  it('COCO: may merge all pieces of a class into one instance, or split them again', async () => {
    const whole = { images: [{ id: 1, file_name: '1.jpg', ...size }], categories: categories(1) };
    const one = merged((value) => 4 - value, 1);
    assert.deepEqual(await readCoco({ ...whole, annotations: one }), raster);
    const pixels = [...raster.keys()].filter((pixel) => raster[pixel] === 1);
    const pieces = pixels.map((only) => ({
      ...{ image_id: 1, category_id: 3 },
      segmentation: { size: [HEIGHT, WIDTH], counts: encodeRle((pixel) => pixel === only, ALL, WIDTH, HEIGHT) },
    }));
    assert.deepEqual(await readCoco({ ...whole, annotations: [...one.slice(1), ...pieces] }), raster);
  });

  it('COCO: may add boxes without masks, which are refused by the name of their annotation', async () => {
    const whole = { images: [{ id: 1, file_name: '1.jpg', ...size }], categories: categories(1) };
    for (const box of [{ segmentation: [] }, { segmentation: null }, {}]) {
      const annotations = [...merged((value) => 4 - value, 1), { id: 77, image_id: 1, category_id: 1, ...box }];
      assert.match(String(await readCoco({ ...whole, annotations })), /annotation 77 of it has no mask/);
    }
  });

  it('COCO: may write shapes that cover no pixel, such as fractional coordinates, which delete nothing', async () => {
    const whole = { images: [{ id: 1, file_name: '1.jpg', ...size }], categories: categories(1) };
    const segmentation = [[0.1, 0.1, 0.4, 0.1, 0.4, 0.4]];
    const annotations = [{ id: 1, image_id: 1, category_id: 1, segmentation }];
    assert.match(String(await readCoco({ ...whole, annotations })), /none of its 1 shapes covers a pixel/);
  });

  it('COCO: may give two categories one id, which is refused as ambiguous', async () => {
    const twice = [...categories(1), { id: 2, name: 'bumper' }];
    const back = { images: [{ id: 1, file_name: '1.jpg', ...size }], categories: twice, annotations: [] };
    await assert.rejects(readCoco(back), /gives id 2 to two categories: /);
  });

  it('COCO: may have annotations of images that it does not list, which are named', async () => {
    const back = {
      ...{ images: [{ id: 1, file_name: '1.jpg', ...size }], categories: categories(1) },
      annotations: merged((value) => 4 - value, 8),
    };
    const found = await readBack(await saveJson(exported.folder, 'back.json', back), exported.manifest);
    assert.deepEqual([...found.keys()].sort(), [image.imageId, 'image 8, which has 3 annotations and no entry'].sort());
  });

  it('COCO: may copy our id with a piece into another image, which its name identifies', async () => {
    const [first, second] = [manifestImage(1), manifestImage(2)];
    const both = { ...exported.manifest, images: [first, second] };
    const annotations = [...merged((value) => 4 - value, 1), ...merged((value) => 4 - value, 2)].map((entry) => ({
      ...entry,
      attributes: { partloop_image_id: first.imageId },
    }));
    const images = [first, second].map(({ name }, at) => ({ id: at + 1, file_name: name, ...size }));
    const path = await saveJson(exported.folder, 'back.json', { images, categories: categories(1), annotations });
    const found = await readBack(path, both);
    assert.deepEqual([found.get(first.imageId), found.get(second.imageId)], [raster, raster]);
  });

  it('COCO: may drop the holes of polygons; the part inside a hole still comes out on top', async () => {
    const { ids, list } = connectedComponents(raster, WIDTH, HEIGHT, skipValues(0));
    const outlines = traceOutlines(ids, WIDTH, HEIGHT, list.length);
    const annotations = list.map((piece, id) => ({
      ...{ image_id: 1, category_id: 4 - piece.value },
      segmentation: [outlines[id]?.outer],
    }));
    const back = { images: [{ id: 1, file_name: '1.jpg', ...size }], categories: categories(1), annotations };
    const filled = raster.map((value, pixel) => {
      const [x, y] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
      return value === 0 && x < 7 && y < 7 ? 1 : value;
    });
    assert.deepEqual(await readCoco(back), filled);
  });

  it('any: may ignore the EXIF orientation, which is refused with the reason', async () => {
    const turned = { width: HEIGHT, height: WIDTH };
    const back = { images: [{ id: 1, file_name: '1.jpg', ...turned }], categories: categories(1), annotations: [] };
    assert.match(String(await readCoco(back)), /its entry is 9×13, the upright picture 13×9: .*EXIF orientation/);
    const masks = join(exported.folder, 'turned', 'masks', 'front');
    await mkdir(masks, { recursive: true });
    await writeFile(join(masks, '1.png'), encode({ ...turned, data: raster, channels: 1, depth: 8 }));
    const found = await readBack(join(exported.folder, 'turned'), exported.manifest);
    assert.match(String(found.get(image.imageId)), /its mask is 9×13, .*EXIF orientation/);
  });

  it('any: may return another size than that of the picture', async () => {
    const back = {
      images: [{ id: 1, file_name: '1.jpg', width: 26, height: 18 }],
      categories: categories(1),
      annotations: [],
    };
    assert.match(String(await readCoco(back)), /its entry is 26×18, the picture 13×9$/);
  });

  it('any: may return images that were never exported, under names that match none', async () => {
    const path = await saveJson(exported.folder, 'back.json', {
      images: [{ id: 1, file_name: 'other/2.jpg', ...size }],
      ...{ categories: categories(1), annotations: [] },
    });
    assert.deepEqual([...(await readBack(path, exported.manifest))], [['other/2.jpg', 'unknown']]);
  });
});
