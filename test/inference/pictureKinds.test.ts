import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IndexRow } from '../../domain/tables.js';
import { readMaskManifest } from '../../formats/masks/import.js';
import { decodeForNetwork } from '../../inference/decode.js';
import { readDerivative } from '../../inference/derivative.js';
import { readImage } from '../../storage/pictures/imageSource.js';
import { openPool } from '../../storage/pool/pool.js';
import { ROOT } from '../support/binaries.js';
import { hasPython, PYTHON, run } from '../support/models/tinyModel.js';
import { HEIGHT, type KindOfPicture, kindsOfPictures, WIDTH } from '../support/pictures/pictureKinds.js';
import { mask, runImport, save } from '../support/pictures/pictures.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

/** Side of the smaller copies, as of pictures that are larger than training wants. */
const SMALL = 45;
/**
 * Mean levels a channel by which copies may differ that were compressed again, at quality 95 in full colour, or scaled
 * by the trainer instead of the scan. Copies that keep their pixels differ by nothing: libvips and Pillow both decode
 * with libjpeg-turbo.
 */
const RECOMPRESSED = 2;

/**
 * The trainer's pixels of each `<name>.copy` and `<name>.small`, and Pillow's decoding of each original by the book.
 */
const PILLOW = `
import io, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from PIL import Image, ImageCms, ImageOps
from partloop_trainer.data.dataset import Record, load_image
from partloop_trainer.data.preprocess import resize_image

def by_the_book(path):
    image = Image.open(path)
    image.seek(0)
    image = ImageOps.exif_transpose(image)
    if image.mode == "CMYK":
        return None
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert("RGBA" if image.mode in ("LA", "RGBA", "P") or "transparency" in image.info else "RGB")
    profile = image.info.get("icc_profile")
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    if image.mode == "RGBA":
        behind = Image.new("RGBA", image.size, (124, 116, 104, 255))
        image = Image.alpha_composite(behind, image).convert("RGB")
    return image

for path in sys.argv[2:]:
    for kind in ("copy", "small"):
        image = load_image(Record(path, f"{path}.{kind}", "", ()))
        np.asarray(image).tofile(f"{path}.{kind}.rgb")
    book = by_the_book(path)
    if book is not None:
        np.asarray(book).tofile(f"{path}.book.rgb")
`;

describe('every kind of picture file', function () {
  this.timeout(120_000);
  let folder: string;
  let kinds: KindOfPicture[];
  const store = memoryStore();
  const rows = new Map<string, IndexRow>();

  before(async function () {
    if (!hasPython) {
      console.log(`      skipped: ${PYTHON} is missing; npm run bootstrap installs it`);
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
    kinds = await kindsOfPictures();
    await save(folder, 'mask.png', await mask(1, WIDTH, HEIGHT));
    for (const { name, bytes } of kinds) await save(folder, name, bytes);
    const lines = kinds.map(({ name }) => JSON.stringify({ image: name, label: 'mask.png' }));
    const manifest = await save(folder, 'manifest.jsonl', lines.join('\n'));
    const { refused } = await runImport(store, readMaskManifest({ manifest }));
    assert.deepEqual(refused, []);
    const pool = await openPool(store, 'cars');
    for (const row of await pool.readIndex(await pool.latestVersion())) rows.set(row.fileName, row);
    for (const { name } of kinds) {
      const row = rows.get(name) as IndexRow;
      for (const [kind, side] of [
        ['copy', WIDTH],
        ['small', SMALL],
      ] as const)
        await writeFile(
          join(folder, `${name}.${kind}`),
          (await readDerivative(store, 'cars', row, { maxSide: side, classes: 254 })).image,
        );
    }
    await run(PYTHON, ['-c', PILLOW, join(ROOT, 'trainer'), ...kinds.map(({ name }) => join(folder, name))]);
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** The pixels that the scan sees at `size`. */
  const scanned = async (name: string, size: number): Promise<Uint8Array> => {
    const row = rows.get(name) as IndexRow;
    return (await decodeForNetwork(await readImage(store, row), size, name)).rgb;
  };
  const pillow = (name: string, what: 'copy' | 'small' | 'book'): Promise<Buffer> =>
    readFile(join(folder, `${name}.${what}.rgb`));

  it('is upright, with the size that the pool knows', () => {
    for (const { name } of kinds) {
      const row = rows.get(name) as IndexRow;
      assert.deepEqual([row.width, row.height], [WIDTH, HEIGHT], name);
    }
  });

  it('has the same pixels in training as in the scan', async () => {
    for (const { name, exact } of kinds) {
      const difference = meanDifference(await scanned(name, WIDTH), await pillow(name, 'copy'));
      assert.ok(difference <= (exact ? 0 : RECOMPRESSED), `${name}: training differs by ${difference}`);
    }
  });

  it('has the same pixels in training as in the scan if training reads a smaller copy', async () => {
    for (const { name } of kinds) {
      const difference = meanDifference(await scanned(name, SMALL), await pillow(name, 'small'));
      assert.ok(difference <= RECOMPRESSED, `${name}: training differs by ${difference}`);
    }
  });

  it('looks as its profile, transparency, depth and orientation say', async () => {
    for (const { name, byTheBook } of kinds) {
      if (byTheBook === null) continue;
      const difference = meanDifference(await scanned(name, WIDTH), await pillow(name, 'book'));
      assert.ok(difference <= byTheBook, `${name} differs from what it should look like by ${difference}`);
    }
  });

  it('keeps its own compressed data if they are plain, without the metadata around them', async () => {
    const upright = kinds.find(({ name }) => name === 'orientation-1.jpg') as KindOfPicture;
    const copy = await readFile(join(folder, `${upright.name}.copy`));
    assert.ok(upright.bytes.includes('Exif') && !copy.includes('Exif'));
    assert.ok(copy.length < upright.bytes.length);
    assert.ok(upright.bytes.subarray(-500).equals(copy.subarray(-500)));
  });
});

/** Of a channel; infinite if the sizes differ. */
function meanDifference(ours: Uint8Array, theirs: Uint8Array): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let at = 0; at < ours.length; at++) sum += Math.abs((ours[at] ?? 0) - (theirs[at] ?? 0));
  return sum / ours.length;
}
