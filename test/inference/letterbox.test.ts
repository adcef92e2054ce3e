import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { PartloopError } from '../../domain/base/errors.js';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';
import { derivativeSide } from '../../domain/train/derivativeSide.js';
import { decodeForNetwork, decodeLabelOf, fitLabel, type NetworkImage } from '../../inference/decode.js';
import { readDerivative } from '../../inference/derivative.js';
import { contentSize, PAD_RGB, padImage } from '../../inference/letterbox.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { ROOT } from '../support/binaries.js';
import { hasPython, PYTHON, run } from '../support/models/tinyModel.js';
import { dsmlrTestSet } from '../support/pictures/photos.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const POOL = 'photos';
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
from partloop_trainer.data.preprocess import letterbox_image, letterbox_label, resize_image, resize_label
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

/** The same for photos as they are given and as training has them, named by their order. */
const TRAINER_PHOTOS = `
import sys
sys.path.insert(0, sys.argv[1])
from PIL import Image, ImageOps
from partloop_trainer.data.preprocess import letterbox_image, resize_image
size = int(sys.argv[2])
for path in sys.argv[3:]:
    picture = ImageOps.exif_transpose(Image.open(path))
    letterbox_image(resize_image(picture, size), size).tofile(path + ".rgb")
`;

/** Waves with edges, as in photographs, on which filters differ. */
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

  it('equals that of the trainer: equal sizes, equal labels, pixels within rounding', async function () {
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
        assert.equal(theirs.length, SIZE * SIZE * 3);
        assert.equal(ours.rgb.length, ours.width * ours.height * 3);
        assert.ok(
          contentDifference(ours, theirs, SIZE) <= 2,
          `picture ${n} differs by ${contentDifference(ours, theirs, SIZE)}`,
        );
        const labelBytes = await readFile(join(folder, `${n}-label.png`));
        const label = fitLabel(await decodeLabelOf(labelBytes, { width, height, classes: 255 }, `${n}.png`), SIZE);
        assert.ok(Buffer.from(label).equals(await readFile(join(folder, `${n}.label`))), `label ${n}`);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('equals that of the trainer on real photos, both directly and through smaller copies', async function () {
    const set = dsmlrTestSet();
    if (set === null) return this.skip();
    if (!hasPython) {
      console.log(`      skipped: ${PYTHON} is missing; npm run bootstrap installs it`);
      return this.skip();
    }
    const size = 256;
    const folder = await mkdtemp(join(tmpdir(), 'pl-'));
    try {
      const names = (await readdir(join(set, 'JPEGImages'))).sort().slice(0, 24);
      assert.equal(names.length, 24);
      const store = memoryStore();
      const paths: { kind: 'direct' | 'copy'; ours: string; read: string }[] = [];
      for (const name of names) {
        const ours = join(set, 'JPEGImages', name);
        const bytes = await readFile(ours);
        const { autoOrient } = await sharp(bytes).metadata();
        const row = await photoRow(store, bytes, autoOrient);
        const copy = await readDerivative(store, POOL, row, { maxSide: derivativeSide(size), classes: 254 });
        for (const [kind, read] of [
          ['direct', bytes],
          ['copy', copy.image],
        ] as const) {
          const path = join(folder, `${kind}-${name}`);
          await writeFile(path, read);
          paths.push({ kind, ours, read: path });
        }
      }
      await run(PYTHON, ['-c', TRAINER_PHOTOS, join(ROOT, 'trainer'), String(size), ...paths.map(({ read }) => read)]);
      const differences = { direct: [] as number[], copy: [] as number[] };
      for (const { kind, ours, read } of paths) {
        const network = await decodeForNetwork(await readFile(ours), size, ours);
        differences[kind].push(contentDifference(network, await readFile(`${read}.rgb`), size));
      }
      // A copy is scaled twice, and compressed in between: single photos with much texture come to a little more.
      for (const [kind, values] of Object.entries(differences)) {
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        assert.ok(mean <= 2, `${kind}: photos differ by ${mean} on average`);
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

  it('pads with one colour and with pixels that do not count', async () => {
    const bytes = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#ff0000' } })
      .png()
      .toBuffer();
    const { rgb, width, height } = await decodeForNetwork(bytes, 64, 'red.png');
    assert.deepEqual([width, height], [64, 32]);
    // Canvases are reused: earlier pixels must be gone.
    const canvas = padImage(rgb, width, height, 64, new Uint8Array(64 * 64 * 3).fill(7));
    const red = 64 * 32 * 3;
    assert.ok(canvas.subarray(0, red).every((value, at) => value === (at % 3 === 0 ? 255 : 0)));
    assert.ok(canvas.subarray(red).every((value, at) => value === PAD_RGB[at % 3]));
    const mask = await encodeLabel(new Uint8Array(64 * 32).fill(7), 64, 32);
    const label = fitLabel(await decodeLabelOf(mask, { width: 64, height: 32, classes: 7 }, 'red.png'), 64);
    assert.ok(label.subarray(0, 64 * 32).every((value) => value === 7));
    assert.ok(label.subarray(64 * 32).every((value) => value === 255));
  });

  it('turns a picture upright, as its EXIF orientation says', async () => {
    const bytes = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#00ff00' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { width, height } = await decodeForNetwork(bytes, 64, 'turned.jpg');
    assert.deepEqual([width, height], [32, 64]);
  });

  it('names a file that is unreadable, or whose label has another size', async () => {
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
function contentDifference(ours: NetworkImage, theirs: Uint8Array, size: number): number {
  let sum = 0;
  for (let y = 0; y < ours.height; y++) {
    for (let at = 0; at < ours.width * 3; at++) {
      sum += Math.abs((ours.rgb[y * ours.width * 3 + at] ?? 0) - (theirs[y * size * 3 + at] ?? 0));
    }
  }
  return sum / (ours.width * ours.height * 3);
}

/** The row of a photo without label: only the fields that its smaller copy needs. */
async function photoRow(
  store: ObjectStore,
  bytes: Uint8Array,
  { width, height }: { width: number; height: number },
): Promise<IndexRow> {
  const imageId = createHash('sha256').update(bytes).digest('hex');
  const mask = await encodeLabel(new Uint8Array(width * height), width, height);
  const labelSha256 = createHash('sha256').update(mask).digest('hex');
  const imageUri = keys.image(POOL, imageId);
  const labelUri = keys.label(POOL, labelSha256);
  await store.put(imageUri, bytes);
  await store.put(labelUri, mask);
  const common = { imageEtag: null, imageVersion: null, tagOrigins: '{}', vehicleId: null, source: 'in-house' };
  return indexRowSchema.parse({
    ...common,
    imageId,
    fileName: 'photo.jpg',
    imageUri,
    labelUri,
    labelSha256,
    width,
    height,
    split: 'test',
    perceptualHash: '0'.repeat(16),
    classes: [],
    labelRevision: 0,
    ingestedAt: '2026-01-01T00:00:00Z',
    change: 'import',
    changeId: null,
    removedAt: null,
  });
}
