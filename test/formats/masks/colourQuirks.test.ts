import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { readBack } from '../../pool/review/kit.js';
import { exportedImage, image, NAMES, raster, size } from '../exportedImage.js';

describe('what tools do to the colours of masks', function () {
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
    await mkdir(join(exported.folder, 'flat'), { recursive: true });
    await writeFile(join(exported.folder, 'flat', '1.png'), png);
    return (await readBack(join(exported.folder, 'flat'), exported.manifest)).get(image.imageId);
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
    assert.match(String(await masks(encode({ ...size, data: grey, channels: 1, depth: 8 }))), /value 40, which is no/);
  });
});
