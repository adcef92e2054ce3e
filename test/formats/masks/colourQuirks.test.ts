import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { readBack } from '../../pool/review/kit.js';
import { exportedImage, image, NAMES, raster, size } from '../exportedImage.js';

describe('the colours of masks that tools write', function () {
  this.timeout(60_000);
  const exported = exportedImage();

  const COLOURS = [
    [0, 0, 0],
    [250, 50, 83],
    [51, 221, 255],
    [61, 61, 245],
  ] as const;

  async function cvat(png: Uint8Array, labelmap: string): Promise<Uint8Array | string | undefined> {
    const place = join(exported.folder, 'cvat');
    await mkdir(join(place, 'SegmentationClass', 'front'), { recursive: true });
    await writeFile(join(place, 'SegmentationClass', 'front', '1.png'), png);
    await writeFile(join(place, 'labelmap.txt'), labelmap);
    return (await readBack(place, exported.manifest)).get(image.imageId);
  }
  const map = (order: readonly number[]): string =>
    `# label:color_rgb:parts:actions\r\n${order.map((value) => `${NAMES[value]}:${COLOURS[value]?.join(',')}::\r\n`).join('')}`;

  it('CVAT: they are its own, and its label map explains them', async () => {
    const data = Uint8Array.from([...raster].flatMap((value) => [...(COLOURS[value] ?? [])]));
    const png = encode({ ...size, data, channels: 3, depth: 8 });
    assert.deepEqual(await cvat(png, map([0, 1, 2, 3])), raster);
  });

  it('CVAT: they count, not their palette numbers, which are in another order than the classes', async () => {
    const order = [0, 3, 1, 2];
    const data = raster.map((value) => order.indexOf(value));
    const palette = order.map((value) => [...(COLOURS[value] ?? [])]);
    const png = encode({ ...size, data, channels: 1, depth: 8, palette });
    assert.deepEqual(await cvat(png, map(order)), raster);
  });

  it('CVAT: an unknown label in the map matters only if a picture uses it', async () => {
    const strange = `${map([0, 1, 2, 3])}spoiler:1,2,3::\n`;
    const paint = (values: Uint8Array) => {
      const data = Uint8Array.from([...values].flatMap((value) => [...(COLOURS[value] ?? [1, 2, 3])]));
      return encode({ ...size, data, channels: 3, depth: 8 });
    };
    assert.deepEqual(await cvat(paint(raster), strange), raster);
    const used = raster.map((value) => (value === 3 ? 9 : value));
    assert.match(String(await cvat(paint(used), strange)), /colours of no class: #010203/);
  });

  it('CVAT: an unknown label in a palette is refused, since its number means nothing', async () => {
    const strange = `${map([0, 3, 1, 2])}spoiler:1,2,3::\n`;
    const palette = [...[0, 3, 1, 2].map((value) => [...(COLOURS[value] ?? [])]), [1, 2, 3]];
    const data = raster.map((value, pixel) => (pixel === 0 ? 3 : value));
    const used = Uint8Array.from(data, (value, pixel) => (pixel === 1 ? 4 : value));
    const png = encode({ ...size, data: used.map((value) => Math.min(value, 4)), channels: 1, depth: 8, palette });
    assert.match(String(await cvat(png, strange)), /colours of no class: #010203/);
  });

  it('CVAT: the values of grey masks are colours, not classes', async () => {
    const png = encode({ ...size, data: raster, channels: 1, depth: 8 });
    assert.match(String(await cvat(png, map([0, 1, 2, 3]))), /colours of no class/);
  });

  it('CVAT: two labels of one colour are refused as ambiguous', async () => {
    const png = encode({ ...size, data: raster, channels: 1, depth: 8 });
    await assert.rejects(cvat(png, `${map([0, 1, 2])}mirror:51,221,255::\n`), /wheel and mirror the same colour/);
  });

  it('CVAT: the background may be missing, and black may belong to a class or an unknown label', async () => {
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
    await mkdir(join(exported.folder, 'flat'), { recursive: true });
    await writeFile(join(exported.folder, 'flat', '1.png'), png);
    return (await readBack(join(exported.folder, 'flat'), exported.manifest)).get(image.imageId);
  }

  it('masks: in a palette on a grey mask the numbers are the classes, and the colours mean nothing', async () => {
    const palette = [[9, 9, 8], ...COLOURS.slice(1).map((colour) => [...colour])];
    assert.deepEqual(await masks(encode({ ...size, data: raster, channels: 1, depth: 8, palette })), raster);
  });

  it('masks: a grey mask may be saved in true colours', async () => {
    const data = Uint8Array.from([...raster].flatMap((value) => [value, value, value, 255]));
    assert.deepEqual(await masks(encode({ ...size, data, channels: 4, depth: 8 })), raster);
  });

  it('masks: a palette whose numbers and greys name different classes is refused as ambiguous', async () => {
    const palette = [3, 2, 1, 0].map((grey) => [grey, grey, grey]);
    const found = await masks(encode({ ...size, data: raster, channels: 1, depth: 8, palette }));
    assert.match(String(found), /with numbers and greys that mean different classes/);
  });

  it('masks: blended colours of smoothed edges are refused', async () => {
    const data = Uint8Array.from([...raster].flatMap((value) => [value * 40, 7, 99]));
    assert.match(String(await masks(encode({ ...size, data, channels: 3, depth: 8 }))), /of no class/);
    const grey = raster.map((value) => value * 40);
    assert.match(String(await masks(encode({ ...size, data: grey, channels: 1, depth: 8 }))), /value 40, which is no/);
  });
});
