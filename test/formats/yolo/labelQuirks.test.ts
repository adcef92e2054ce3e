import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HEIGHT, readBack, WIDTH } from '../../pool/review/kit.js';
import { exportedImage, image } from '../exportedImage.js';

describe('a tool that changes YOLO labels', function () {
  this.timeout(60_000);
  const exported = exportedImage();

  async function yolo(text: string, yaml: string | null): Promise<Uint8Array | string | undefined> {
    const place = join(exported.folder, 'yolo');
    await mkdir(join(place, 'labels'), { recursive: true });
    await writeFile(join(place, 'labels', '1.txt'), text);
    if (yaml !== null) await writeFile(join(place, 'data.yaml'), yaml);
    return (await readBack(place, exported.manifest)).get(image.imageId);
  }
  const square = '0 0 1 0 1 1 0 1';

  it('may renumber the classes, since their names count, as a list or a map', async () => {
    const all = (value: number): Uint8Array => new Uint8Array(WIDTH * HEIGHT).fill(value);
    assert.deepEqual(await yolo(`0 ${square}\n`, 'nc: 2\nnames: [mirror, hood]\n'), all(3));
    assert.deepEqual(await yolo(`7 ${square}\n`, 'names:\n  7: wheel\n  1: "hood"\nnc: 2\n'), all(2));
    assert.deepEqual(await yolo(`1 ${square}`, "names:\n- mirror\n- 'wheel'\n"), all(2));
  });

  it('must give the names of its classes, since it may have renumbered them', async () => {
    await assert.rejects(yolo(`0 ${square}\n`, null), /there is no .*data\.yaml, which names the class numbers/);
  });

  it('may have unknown classes as long as no picture uses them', async () => {
    const yaml = 'names: [spoiler, hood]\n';
    assert.deepEqual(await yolo(`1 ${square}\n`, yaml), new Uint8Array(WIDTH * HEIGHT).fill(1));
    assert.match(String(await yolo(`0 ${square}\n`, yaml)), /class spoiler is not in taxonomy/);
  });

  it('may not return boxes, unknown classes or invalid polygons', async () => {
    const yaml = 'names: [hood]\n';
    assert.match(String(await yolo('0 0.5 0.5 1 1\n', yaml)), /boxes, not polygons/);
    assert.match(String(await yolo(`4 ${square}\n`, yaml)), /class 4 is not in data\.yaml/);
    assert.match(String(await yolo('0 0 0 1 0 1\n', yaml)), /not a polygon/);
    assert.match(String(await yolo('0 0 0 900 0 1 1 0 1\n', yaml)), /not a polygon/);
  });
});
