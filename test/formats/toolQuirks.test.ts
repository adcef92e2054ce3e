import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { connectedComponents, skipValues } from '../../domain/geometry/components.js';
import { traceOutlines } from '../../domain/geometry/contours.js';
import { encodeRle } from '../../domain/geometry/rle.js';
import type { Manifest } from '../../formats/manifest.js';
import { HEIGHT, holedRaster, manifestImage, readBack, saveJson, WIDTH, writePart } from '../pool/review/kit.js';

const ALL = { x0: 0, y0: 0, x1: WIDTH, y1: HEIGHT };
const NAMES = ['background', 'hood', 'wheel', 'mirror'];
const raster = holedRaster();
const image = manifestImage(1);
const size = { width: WIDTH, height: HEIGHT };

/** One annotation a class, as tools write it that know no instances. */
const merged = (category: (value: number) => number, imageId: number | string) =>
  [1, 2, 3].map((value, at) => ({
    id: 900 + at,
    image_id: imageId,
    category_id: category(value),
    segmentation: { size: [HEIGHT, WIDTH], counts: encodeRle((pixel) => raster[pixel] === value, ALL, WIDTH, HEIGHT) },
  }));

describe('what tools do to an export', function () {
  this.timeout(60_000);
  let folder: string;
  let manifest: Manifest;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
    manifest = await writePart(join(folder, 'out'), 'coco', [{ image, raster }]);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const readCoco = async (value: unknown) =>
    (await readBack(await saveJson(folder, 'back.json', value), manifest)).get(image.imageId);
  const categories = (from: number) => NAMES.slice(1).map((name, at) => ({ id: from + 2 - at, name }));

  it('COCO: renumbers images, annotations and categories; our id and the names tell which is which', async () => {
    const back = {
      images: [{ id: 'x7', file_name: 'renamed.png', ...size, partloop_image_id: image.imageId }],
      categories: categories(40),
      annotations: merged((value) => 43 - value, 'x7'),
    };
    assert.deepEqual(await readCoco(back), raster);
  });

  it('COCO: drops our id of the image, and keeps that of the annotations or the name of the file', async () => {
    const annotations = merged((value) => 3 - value, 5);
    const back = { categories: categories(0), annotations };
    const kept = annotations.map((entry) => ({ ...entry, attributes: { partloop_image_id: image.imageId } }));
    const renamed = [{ id: 5, file_name: 'renamed.png', ...size }];
    assert.deepEqual(await readCoco({ ...back, annotations: kept, images: renamed }), raster);
    for (const name of ['front/1.jpg', '1.jpg', 'FRONT\\1.JPG', '/data/local-files/front/1.jpg'])
      assert.deepEqual(await readCoco({ ...back, images: [{ id: 5, file_name: name, ...size }] }), raster, name);
  });

  it('COCO: merges all pieces of a class into one instance, and splits them again', async () => {
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

  it('COCO: has boxes without masks, which are refused by the name of their annotation', async () => {
    const whole = { images: [{ id: 1, file_name: '1.jpg', ...size }], categories: categories(1) };
    for (const box of [{ segmentation: [] }, { segmentation: null }, {}]) {
      const annotations = [...merged((value) => 4 - value, 1), { id: 77, image_id: 1, category_id: 1, ...box }];
      assert.match(String(await readCoco({ ...whole, annotations })), /annotation 77 of it has no mask/);
    }
  });

  it('COCO: has shapes that cover no pixel, as coordinates in fractions do; that is no deletion', async () => {
    const whole = { images: [{ id: 1, file_name: '1.jpg', ...size }], categories: categories(1) };
    const segmentation = [[0.1, 0.1, 0.4, 0.1, 0.4, 0.4]];
    const annotations = [{ id: 1, image_id: 1, category_id: 1, segmentation }];
    assert.match(String(await readCoco({ ...whole, annotations })), /none of its 1 shapes covers a pixel/);
  });

  it('COCO: gives two categories one id: nobody can tell which is meant', async () => {
    const twice = [...categories(1), { id: 2, name: 'bumper' }];
    const back = { images: [{ id: 1, file_name: '1.jpg', ...size }], categories: twice, annotations: [] };
    await assert.rejects(readCoco(back), /gives id 2 to two categories: /);
  });

  it('COCO: has annotations of images that it does not list; they are named', async () => {
    const back = {
      ...{ images: [{ id: 1, file_name: '1.jpg', ...size }], categories: categories(1) },
      annotations: merged((value) => 4 - value, 8),
    };
    const found = await readBack(await saveJson(folder, 'back.json', back), manifest);
    assert.deepEqual([...found.keys()].sort(), [image.imageId, 'image 8, which has 3 annotations and no entry'].sort());
  });

  it('COCO: copies our id along with a piece into another image, which is told by its name', async () => {
    const [first, second] = [manifestImage(1), manifestImage(2)];
    const both = { ...manifest, images: [first, second] };
    const annotations = [...merged((value) => 4 - value, 1), ...merged((value) => 4 - value, 2)].map((entry) => ({
      ...entry,
      attributes: { partloop_image_id: first.imageId },
    }));
    const images = [first, second].map(({ name }, at) => ({ id: at + 1, file_name: name, ...size }));
    const path = await saveJson(folder, 'back.json', { images, categories: categories(1), annotations });
    const found = await readBack(path, both);
    assert.deepEqual([found.get(first.imageId), found.get(second.imageId)], [raster, raster]);
  });

  it('COCO: drops the holes of polygons; the part that lay in one is on top all the same', async () => {
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

  it('any: works on the picture as its pixels lie, not upright as EXIF says; it is refused and said why', async () => {
    const turned = { width: HEIGHT, height: WIDTH };
    const back = { images: [{ id: 1, file_name: '1.jpg', ...turned }], categories: categories(1), annotations: [] };
    assert.match(String(await readCoco(back)), /its entry is 9×13, the upright picture 13×9: .*EXIF orientation/);
    const masks = join(folder, 'turned', 'masks', 'front');
    await mkdir(masks, { recursive: true });
    await writeFile(join(masks, '1.png'), encode({ ...turned, data: raster, channels: 1, depth: 8 }));
    const found = await readBack(join(folder, 'turned'), manifest);
    assert.match(String(found.get(image.imageId)), /its mask is 9×13, .*EXIF orientation/);
  });

  it('any: brings back another size than the picture has', async () => {
    const back = {
      images: [{ id: 1, file_name: '1.jpg', width: 26, height: 18 }],
      categories: categories(1),
      annotations: [],
    };
    assert.match(String(await readCoco(back)), /its entry is 26×18, the picture 13×9$/);
  });

  it('any: brings images that were never exported, under names that fit none', async () => {
    const path = await saveJson(folder, 'back.json', {
      images: [{ id: 1, file_name: 'other/2.jpg', ...size }],
      ...{ categories: categories(1), annotations: [] },
    });
    assert.deepEqual([...(await readBack(path, manifest))], [['other/2.jpg', 'unknown']]);
  });

  describe('with colours', () => {
    const COLOURS = [
      [0, 0, 0],
      [250, 50, 83],
      [51, 221, 255],
      [61, 61, 245],
    ] as const;

    async function cvat(png: Uint8Array, labelmap: string): Promise<Uint8Array | string | undefined> {
      const place = join(folder, 'cvat');
      await mkdir(join(place, 'SegmentationClass', 'front'), { recursive: true });
      await writeFile(join(place, 'SegmentationClass', 'front', '1.png'), png);
      await writeFile(join(place, 'labelmap.txt'), labelmap);
      return (await readBack(place, manifest)).get(image.imageId);
    }
    const map = (order: readonly number[]): string =>
      `# label:color_rgb:parts:actions\r\n${order.map((value) => `${NAMES[value]}:${COLOURS[value]?.join(',')}::\r\n`).join('')}`;

    it('CVAT: paints in colours of its own, which its label map explains', async () => {
      const data = Uint8Array.from([...raster].flatMap((value) => [...(COLOURS[value] ?? [])]));
      const png = encode({ ...size, data, channels: 3, depth: 8 });
      assert.deepEqual(await cvat(png, map([0, 1, 2, 3])), raster);
    });

    it('CVAT: sorts its palette otherwise than the classes; colours count, not their numbers', async () => {
      const order = [0, 3, 1, 2];
      const data = raster.map((value) => order.indexOf(value));
      const palette = order.map((value) => [...(COLOURS[value] ?? [])]);
      const png = encode({ ...size, data, channels: 1, depth: 8, palette });
      assert.deepEqual(await cvat(png, map(order)), raster);
    });

    it('CVAT: has a label that we do not know, which matters where a picture uses it', async () => {
      const strange = `${map([0, 1, 2, 3])}spoiler:1,2,3::\n`;
      const paint = (values: Uint8Array) => {
        const data = Uint8Array.from([...values].flatMap((value) => [...(COLOURS[value] ?? [1, 2, 3])]));
        return encode({ ...size, data, channels: 3, depth: 8 });
      };
      assert.deepEqual(await cvat(paint(raster), strange), raster);
      const used = raster.map((value) => (value === 3 ? 9 : value));
      assert.match(String(await cvat(paint(used), strange)), /colours of no class: #010203/);
    });

    it('CVAT: uses a label that we do not know in a palette, whose numbers mean nothing', async () => {
      const strange = `${map([0, 3, 1, 2])}spoiler:1,2,3::\n`;
      const palette = [...[0, 3, 1, 2].map((value) => [...(COLOURS[value] ?? [])]), [1, 2, 3]];
      const data = raster.map((value, pixel) => (pixel === 0 ? 3 : value));
      const used = Uint8Array.from(data, (value, pixel) => (pixel === 1 ? 4 : value));
      const png = encode({ ...size, data: used.map((value) => Math.min(value, 4)), channels: 1, depth: 8, palette });
      assert.match(String(await cvat(png, strange)), /colours of no class: #010203/);
    });

    it('CVAT: saves grey masks, whose values are no classes but colours', async () => {
      const png = encode({ ...size, data: raster, channels: 1, depth: 8 });
      assert.match(String(await cvat(png, map([0, 1, 2, 3]))), /colours of no class/);
    });

    it('CVAT: gives two labels one colour: nobody can tell which is meant', async () => {
      const png = encode({ ...size, data: raster, channels: 1, depth: 8 });
      await assert.rejects(cvat(png, `${map([0, 1, 2])}mirror:51,221,255::\n`), /wheel and mirror the same colour/);
    });

    it('CVAT: has no background, and black for a class or for a label that we do not know', async () => {
      const rest = [2, 3].map((value) => `${NAMES[value]}:${COLOURS[value]?.join(',')}::\n`).join('');
      const data = raster.map((value) => (value === 1 ? 0 : 1));
      const palette = [[0, 0, 0], [...(COLOURS[2] ?? [])]];
      const everywhere = encode({ ...size, data, channels: 1, depth: 8, palette });
      const found = await cvat(everywhere, `hood:0,0,0::\n${rest}`);
      assert.deepEqual(
        found,
        raster.map((value) => (value === 1 ? 1 : 2)),
      );
      assert.match(String(await cvat(everywhere, `spoiler:0,0,0::\n${rest}`)), /colours of no class: #000000/);
      await assert.rejects(cvat(everywhere, `hood:0,300,0::\n${rest}`), /gives hood the colour 0,300,0/);
    });

    async function masks(png: Uint8Array): Promise<Uint8Array | string | undefined> {
      await mkdir(join(folder, 'flat'), { recursive: true });
      await writeFile(join(folder, 'flat', '1.png'), png);
      return (await readBack(join(folder, 'flat'), manifest)).get(image.imageId);
    }

    it('masks: give grey ones a palette, whose numbers are the classes and whose colours mean nothing', async () => {
      const palette = [[9, 9, 8], ...COLOURS.slice(1).map((colour) => [...colour])];
      assert.deepEqual(await masks(encode({ ...size, data: raster, channels: 1, depth: 8, palette })), raster);
    });

    it('masks: save grey ones in true colours', async () => {
      const data = Uint8Array.from([...raster].flatMap((value) => [value, value, value, 255]));
      assert.deepEqual(await masks(encode({ ...size, data, channels: 4, depth: 8 })), raster);
    });

    it('masks: give them a palette in which numbers and greys are different classes: nobody can tell', async () => {
      const palette = [3, 2, 1, 0].map((grey) => [grey, grey, grey]);
      const found = await masks(encode({ ...size, data: raster, channels: 1, depth: 8, palette }));
      assert.match(String(found), /with numbers and greys that mean different classes/);
    });

    it('masks: smooth the edges, so that colours between two classes come about', async () => {
      const data = Uint8Array.from([...raster].flatMap((value) => [value * 40, 7, 99]));
      assert.match(String(await masks(encode({ ...size, data, channels: 3, depth: 8 }))), /of no class/);
      const grey = raster.map((value) => value * 40);
      assert.match(
        String(await masks(encode({ ...size, data: grey, channels: 1, depth: 8 }))),
        /value 40, which is no/,
      );
    });
  });

  describe('with tasks of Label Studio', () => {
    const region = (label: string, points: [number, number][], more: object = {}) => ({
      ...{ type: 'polygonlabels', original_width: WIDTH, original_height: HEIGHT, image_rotation: 0 },
      value: { points, polygonlabels: [label] },
      ...more,
    });
    const left = region('hood', [
      [0, 0],
      [(6 / WIDTH) * 100, 0],
      [(6 / WIDTH) * 100, 100],
      [0, 100],
    ]);
    const leftHalf = Uint8Array.from(raster, (_, pixel) => (pixel % WIDTH < 6 ? 1 : 0));
    const readTasks = async (tasks: unknown) =>
      (await readBack(await saveJson(folder, 'tasks.json', tasks), manifest)).get(image.imageId);
    const data = { image: '/data/upload/3/0f3-1.jpg', partloop_image_id: image.imageId };

    it('keeps our id while it gives pictures new names; brushes and polygons may be mixed', async () => {
      assert.deepEqual(
        await readTasks([{ id: 1, data, annotations: [{ result: [left, { type: 'choices' }] }] }]),
        leftHalf,
      );
    });

    it('takes the annotation that was changed last, and none that was skipped', async () => {
      const annotations = [
        { updated_at: '2026-01-02T00:00:00Z', result: [left] },
        { updated_at: '2026-01-01T00:00:00Z', result: [] },
        { updated_at: '2026-01-03T00:00:00Z', was_cancelled: true, result: [] },
      ];
      assert.deepEqual(await readTasks([{ data, annotations }]), leftHalf);
      const zones = [
        { updated_at: '2026-01-01T23:30:00-05:00', result: [left] },
        { updated_at: '2026-01-02T03:00:00Z', result: [] },
      ];
      assert.deepEqual(await readTasks([{ data, annotations: zones }]), leftHalf);
      assert.match(String(await readTasks([{ data, annotations: annotations.slice(2) }])), /nobody annotated it/);
    });

    it('refuses regions of other kinds by their name, and passes over what says nothing of pixels', async () => {
      const box = { x: 10, y: 10, width: 40, height: 25, rotation: 0 };
      for (const type of [
        'rectanglelabels',
        'ellipselabels',
        'keypointlabels',
        'bitmasklabels',
        'vectorlabels',
        'labels',
      ]) {
        const other = { ...left, type, value: { ...box, [type]: ['hood'] } };
        for (const result of [[other], [left, other]])
          assert.match(String(await readTasks([{ data, annotations: [{ result }] }])), new RegExp(`kind ${type},`));
      }
      const words = ['choices', 'textarea', 'relation', 'rating', 'number'].map((type) => ({ type, value: box }));
      assert.deepEqual(await readTasks([{ data, annotations: [{ result: [...words, left] }] }]), leftHalf);
      assert.match(String(await readTasks([{ data, annotations: [{ result: [{ value: box }] }] }])), /kind unknown/);
    });

    it('refuses a region with several labels', async () => {
      const two = { ...left, value: { ...left.value, polygonlabels: ['hood', 'wheel'] } };
      assert.match(String(await readTasks([{ data, annotations: [{ result: [two] }] }])), /has several labels/);
    });

    it('refuses a picture that was turned in the tool, or has another size there', async () => {
      const turned = { ...left, image_rotation: 90 };
      assert.match(String(await readTasks([{ data, annotations: [{ result: [turned] }] }])), /rotated by 90°/);
      const other = { ...left, original_width: HEIGHT, original_height: WIDTH };
      assert.match(String(await readTasks([{ data, annotations: [{ result: [other] }] }])), /EXIF orientation/);
    });
  });

  describe('with YOLO labels', () => {
    async function yolo(text: string, yaml: string | null): Promise<Uint8Array | string | undefined> {
      const place = join(folder, 'yolo');
      await mkdir(join(place, 'labels'), { recursive: true });
      await writeFile(join(place, 'labels', '1.txt'), text);
      if (yaml !== null) await writeFile(join(place, 'data.yaml'), yaml);
      return (await readBack(place, manifest)).get(image.imageId);
    }
    const square = '0 0 1 0 1 1 0 1';

    it('renumbers the classes; their names count, as a list or a map', async () => {
      const all = (value: number): Uint8Array => new Uint8Array(WIDTH * HEIGHT).fill(value);
      assert.deepEqual(await yolo(`0 ${square}\n`, 'nc: 2\nnames: [mirror, hood]\n'), all(3));
      assert.deepEqual(await yolo(`7 ${square}\n`, 'names:\n  7: wheel\n  1: "hood"\nnc: 2\n'), all(2));
      assert.deepEqual(await yolo(`1 ${square}`, "names:\n- mirror\n- 'wheel'\n"), all(2));
    });

    it('refuses labels without the names of their classes: the tool may have numbered them again', async () => {
      await assert.rejects(yolo(`0 ${square}\n`, null), /there is no .*data\.yaml, which names the class numbers/);
    });

    it('has classes that we do not know, which matter where a picture uses them', async () => {
      const yaml = 'names: [spoiler, hood]\n';
      assert.deepEqual(await yolo(`1 ${square}\n`, yaml), new Uint8Array(WIDTH * HEIGHT).fill(1));
      assert.match(String(await yolo(`0 ${square}\n`, yaml)), /class spoiler is not in taxonomy/);
    });

    it('refuses boxes, unknown classes and what is no polygon', async () => {
      const yaml = 'names: [hood]\n';
      assert.match(String(await yolo('0 0.5 0.5 1 1\n', yaml)), /boxes, not polygons/);
      assert.match(String(await yolo(`4 ${square}\n`, yaml)), /class 4 is not in data\.yaml/);
      assert.match(String(await yolo('0 0 0 1 0 1\n', yaml)), /not a polygon/);
      assert.match(String(await yolo('0 0 0 900 0 1 1 0 1\n', yaml)), /not a polygon/);
    });
  });
});
