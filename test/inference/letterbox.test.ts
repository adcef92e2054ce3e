import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { PartloopError } from '../../domain/errors.js';
import { decodeForNetwork, decodeLabelOf, fitLabel } from '../../inference/decode.js';
import { contentSize, PAD_RGB } from '../../inference/letterbox.js';
import { encodeLabel } from '../../storage/labelMask.js';
import { ROOT } from '../support/binaries.js';
import { hasPython, PYTHON, run } from '../support/tinyModel.js';

const SIZE = 96;
const PICTURES = [
  [200, 133],
  [77, 150],
  [96, 96],
  [61, 40],
  [641, 3],
] as const;

/** The trainer's own preprocessing of every `<n>.png` and `<n>-label.png`, as raw bytes; sizes as JSON. */
const TRAINER = `
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from PIL import Image
from partloop_trainer.preprocess import letterbox_image, letterbox_label, resize_image, resize_label
folder, count, size = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
sizes = []
for n in range(count):
    content = resize_image(Image.open(f"{folder}/{n}.png"), size)
    sizes.append([content.shape[1], content.shape[0]])
    letterbox_image(content, size).tofile(f"{folder}/{n}.rgb")
    label = np.asarray(Image.open(f"{folder}/{n}-label.png"))
    letterbox_label(resize_label(label, size), size).tofile(f"{folder}/{n}.label")
print(json.dumps(sizes))
`;

/** Waves with edges: what a photograph has, and where filters differ. */
function waves(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = (Math.floor(x / 13) + Math.floor(y / 17)) % 2 === 0 ? 40 : 0;
      for (let channel = 0; channel < 3; channel++) {
        pixels[(y * width + x) * 3 + channel] = 100 + edge + 60 * Math.sin(x / (5 + channel)) * Math.cos(y / 7);
      }
    }
  }
  return pixels;
}

describe('the preprocessing of the scan', function () {
  this.timeout(60_000);

  it('is that of the trainer: equal sizes, equal labels, pixels within rounding', async function () {
    if (!hasPython) {
      console.log(`      skipped: ${PYTHON} is missing; npm run bootstrap installs it`);
      return this.skip();
    }
    const folder = await mkdtemp(join(tmpdir(), 'pl-'));
    try {
      for (const [n, [width, height]] of PICTURES.entries()) {
        const raw = { width, height };
        await sharp(waves(width, height), { raw: { ...raw, channels: 3 } })
          .png()
          .toFile(join(folder, `${n}.png`));
        const label = Uint8Array.from(
          { length: width * height },
          (_, at) => (at * 7 + Math.floor(at / width) * 3) % 35,
        );
        await writeFile(join(folder, `${n}-label.png`), await encodeLabel(label, width, height));
      }
      const argv = [join(ROOT, 'trainer'), folder, String(PICTURES.length), String(SIZE)];
      const { stdout } = await run(PYTHON, ['-c', TRAINER, ...argv]);
      const sizes: unknown = JSON.parse(stdout);
      assert.deepEqual(
        sizes,
        PICTURES.map(([width, height]) => Object.values(contentSize(width, height, SIZE))),
      );
      for (const [n, [width, height]] of PICTURES.entries()) {
        const ours = await decodeForNetwork(await readFile(join(folder, `${n}.png`)), SIZE, `${n}.png`);
        const theirs = await readFile(join(folder, `${n}.rgb`));
        assert.equal(theirs.length, ours.rgb.length);
        assert.ok(contentDifference(ours, theirs) <= 2, `picture ${n} differs by ${contentDifference(ours, theirs)}`);
        const labelBytes = await readFile(join(folder, `${n}-label.png`));
        const label = fitLabel(await decodeLabelOf(labelBytes, { width, height, classes: 255 }, `${n}.png`), SIZE);
        assert.ok(Buffer.from(label).equals(await readFile(join(folder, `${n}.label`))), `label ${n}`);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('fits every picture into the canvas, its longest side exactly', () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 32, max: 1_024 }), (width, height, size) => {
        const content = contentSize(width, height, size);
        assert.equal(Math.max(content.width, content.height), size);
        assert.ok(Math.min(content.width, content.height) >= 1);
        assert.ok(width < height === content.width < content.height || content.width === content.height);
      }),
    );
  });

  it('pads with one colour and with pixels that count nowhere', async () => {
    const bytes = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#ff0000' } })
      .png()
      .toBuffer();
    const { rgb, width, height } = await decodeForNetwork(bytes, 64, 'red.png');
    assert.deepEqual([width, height], [64, 32]);
    assert.deepEqual([...rgb.subarray(0, 3)], [255, 0, 0]);
    assert.deepEqual([...rgb.subarray(rgb.length - 3)], [...PAD_RGB]);
    const mask = await encodeLabel(new Uint8Array(64 * 32).fill(7), 64, 32);
    const label = fitLabel(await decodeLabelOf(mask, { width: 64, height: 32, classes: 7 }, 'red.png'), 64);
    assert.ok(label.subarray(0, 64 * 32).every((value) => value === 7));
    assert.ok(label.subarray(64 * 32).every((value) => value === 255));
  });

  it('sees a picture upright, as its EXIF orientation says', async () => {
    const bytes = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#00ff00' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { width, height } = await decodeForNetwork(bytes, 64, 'turned.jpg');
    assert.deepEqual([width, height], [32, 64]);
  });

  it('names the file that cannot be decoded, or whose label has another size', async () => {
    const names = (name: RegExp) => (error: unknown) =>
      error instanceof PartloopError && error.code === 'data-invalid' && name.test(error.message);
    await assert.rejects(decodeForNetwork(Buffer.from('text'), 64, 'cars/9.jpg'), names(/cars\/9\.jpg/));
    const mask = await encodeLabel(new Uint8Array(6), 3, 2);
    await assert.rejects(
      decodeLabelOf(mask, { width: 2, height: 3, classes: 7 }, 'cars/9.jpg'),
      names(/label of cars\/9\.jpg is 3×2, the picture 2×3/),
    );
  });
});

/** Mean absolute difference of a channel inside the picture, padding left out. */
function contentDifference(ours: { rgb: Uint8Array; width: number; height: number }, theirs: Uint8Array): number {
  let sum = 0;
  for (let y = 0; y < ours.height; y++) {
    for (let at = y * SIZE * 3; at < (y * SIZE + ours.width) * 3; at++) {
      sum += Math.abs((ours.rgb[at] ?? 0) - (theirs[at] ?? 0));
    }
  }
  return sum / (ours.width * ours.height * 3);
}
