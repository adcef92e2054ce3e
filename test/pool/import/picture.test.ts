import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { PartloopError } from '../../../domain/base/errors.js';
import type { IndexRow } from '../../../domain/tables.js';
import { decodeForNetwork } from '../../../inference/decode.js';
import { readDerivative } from '../../../inference/derivative.js';
import { inspectPicture, type PictureFacts } from '../../../pool/import/picture.js';
import { keys } from '../../../storage/keys.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';
import { chunkRow } from '../../domain/sample/rows.js';
import { ROOT } from '../../support/binaries.js';
import { hasPython, PYTHON, run } from '../../support/models/tinyModel.js';
import { HEIGHT, kindsOfPictures, picture, WIDTH } from '../../support/pictures/pictureKinds.js';
import { png } from '../../support/pictures/png.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const text = (start: string): Buffer => Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(200)]);
const isoMedia = (...brands: string[]): Buffer => {
  const body = Buffer.from(`ftyp${brands[0]}\0\0\0\0${brands.slice(1).join('')}`, 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([length, body, Buffer.alloc(200)]);
};

/** A little-endian TIFF file of one directory of numbers. */
function tiff(tags: readonly [tag: number, value: number][]): Buffer {
  const file = Buffer.alloc(8 + 2 + 12 * tags.length + 4 + 64);
  file.write('II*\0', 0, 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(tags.length, 8);
  for (const [entry, [tag, value]] of tags.entries()) {
    const at = 10 + 12 * entry;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(4, at + 2);
    file.writeUInt32LE(1, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  return file;
}

const refused = async (bytes: Buffer | Promise<Buffer>): Promise<string> => {
  try {
    await inspectPicture(await bytes);
  } catch (error) {
    assert.ok(error instanceof PartloopError && error.code === 'data-invalid', String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: 'it is taken' });
};

describe('a picture file in an import', function () {
  this.timeout(180_000);

  const NAMED: [what: string, bytes: Buffer, reason: RegExp][] = [
    ['HEIC', isoMedia('heic', 'mif1', 'heic'), /HEIC\/HEIF cannot be read here; convert it to JPEG or PNG first/],
    ['HEIF', isoMedia('mif1', 'mif1', 'heic'), /HEIC\/HEIF/],
    ['video', isoMedia('isom', 'isom', 'avc1'), /video/],
    ['AVI', text('RIFF\0\0\0\0AVI LIST'), /video/],
    [
      'SVG',
      Buffer.from('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      /SVG/,
    ],
    ['PDF', text('%PDF-1.7\n'), /PDF/],
    ['BMP', text('BM'), /BMP cannot be read here; convert it/],
    ['Photoshop', text('8BPS\0\x01'), /Photoshop/],
    ['JPEG XL', text('\xff\x0a'), /JPEG XL/],
    ['JPEG XL in boxes', text('\0\0\0\x0cJXL \r\n\x87\n'), /JPEG XL/],
    ['JPEG 2000', text('\0\0\0\x0cjP  \r\n\x87\n'), /JPEG 2000/],
    ['Radiance', text('#?RADIANCE\n'), /Radiance HDR/],
    ['OpenEXR', text('\x76\x2f\x31\x01'), /OpenEXR/],
    ['Canon CR3', isoMedia('crx ', 'crx ', 'isom'), /RAW/],
    ['Canon CR2', Buffer.concat([tiff([[256, 8]]).subarray(0, 8), Buffer.from('CR\x02\0'), Buffer.alloc(90)]), /RAW/],
    [
      'DNG',
      tiff([
        [256, 8],
        [50_706, 0x0401],
      ]),
      /DNG RAW/,
    ],
    [
      'Nikon NEF',
      tiff([
        [254, 1],
        [256, 160],
      ]),
      /thumbnail.*RAW/,
    ],
    [
      'sensor data',
      tiff([
        [254, 0],
        [262, 32_803],
      ]),
      /RAW/,
    ],
    ['Fujifilm', text('FUJIFILMCCD-RAW 0201'), /RAW/],
    ['a web page', Buffer.from('<!DOCTYPE html><html><body>403</body></html>'), /web page/],
    ['a pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'), /Git LFS pointer/],
    ['an archive', text('PK\x03\x04'), /ZIP archive/],
    ['nothing', Buffer.alloc(0), /the file is empty/],
    ['text', Buffer.from('no picture'), /no known kind of picture/],
  ];
  for (const [what, bytes, reason] of NAMED)
    it(`is refused by name: ${what}`, async () => {
      const said = await refused(bytes);
      assert.match(said, reason);
      assert.match(said, /^it is not a readable picture: /);
    });

  it('is refused in the same words each time, wherever it is cut off', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const said = await Promise.all(Array.from({ length: 40 }, (_, n) => refused(jpeg.subarray(0, 150 + n * 5))));
    assert.deepEqual(
      [...new Set(said)],
      ['it is not a readable picture: it is damaged, cut short or of an uncommon variant'],
    );
  });

  it('is refused if it is cut short or has too many pixels or none', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    assert.match(await refused(jpeg.subarray(0, Math.floor(jpeg.length * 0.99))), /damaged, cut short/);
    assert.match(await refused(jpeg.subarray(0, -2)), /damaged, cut short/);
    const wide = png({ width: 200_000, height: 1_000, depth: 1 }, Buffer.alloc(1_000));
    assert.match(await refused(wide), /it has more than 100 megapixels/);
    const flat = png({ width: 0, height: 5, depth: 8 }, Buffer.alloc(5));
    assert.match(await refused(flat), /damaged/);
  });

  it('may be one pixel wide or high', async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 4_000],
      [4_000, 1],
    ] as const) {
      const bytes = await sharp({ create: { width, height, channels: 3, background: '#336699' } })
        .png()
        .toBuffer();
      const facts = await inspectPicture(bytes);
      assert.deepEqual([facts.width, facts.height], [width, height]);
      const { rgb } = await decodeForNetwork(bytes, 64, 'thin.png');
      assert.deepEqual([...rgb.subarray(0, 3)], [0x33, 0x66, 0x99]);
    }
  });

  it('has a hash of its visible pixels, without colours behind transparency', async () => {
    const clear = Buffer.alloc(WIDTH * HEIGHT * 4, 200);
    const noisy = Buffer.from(clear.map((_, at) => (at % 4 === 3 ? 0 : (at * 7919) & 255)));
    const even = Buffer.from(clear.map((_, at) => (at % 4 === 3 ? 0 : 50)));
    const hash = async (pixels: Buffer): Promise<string> => {
      const bytes = await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 4 } })
        .png()
        .toBuffer();
      return (await inspectPicture(bytes)).perceptualHash;
    };
    assert.equal(await hash(noisy), await hash(even));
  });

  it('is readable for scan and training if the import accepts it, however it is damaged', async () => {
    const kinds = await kindsOfPictures();
    const damage = fc.record({
      kind: fc.constantFrom(...kinds),
      flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
        maxLength: 6,
      }),
      /** In the first bytes, which declare the kind of a file. */
      headFlips: fc.array(fc.tuple(fc.integer({ min: 3, max: 600 }), fc.integer({ min: 0, max: 255 })), {
        maxLength: 1,
      }),
      kept: fc.oneof(fc.constant(1), fc.constant(0.99), fc.double({ min: 0, max: 1, noNaN: true })),
      trailing: fc.uint8Array({ maxLength: 40 }),
    });
    const folder = await mkdtemp(join(tmpdir(), 'pl-'));
    const copies: string[] = [];
    try {
      await fc.assert(
        fc.asyncProperty(damage, async ({ kind, flips, headFlips, kept, trailing }) => {
          const bytes = Buffer.from(kind.bytes);
          for (const [share, value] of flips) bytes[Math.floor(share * (bytes.length - 1))] = value;
          for (const [at, value] of headFlips) if (at < bytes.length) bytes[at] = value;
          const file = Buffer.concat([bytes.subarray(0, Math.ceil(kept * bytes.length)), trailing]);
          let facts: PictureFacts;
          try {
            facts = await inspectPicture(file);
          } catch (error) {
            assert.ok(error instanceof PartloopError && error.code === 'data-invalid', String(error));
            return;
          }
          const longest = Math.max(facts.width, facts.height);
          for (const size of [32, longest]) await decodeForNetwork(file, size, kind.name);
          for (const side of [longest, Math.ceil(longest / 2)]) {
            const path = join(folder, `${copies.length}-${kind.name}`);
            await writeFile(path, await copyOf(file, facts, side));
            copies.push(path);
          }
        }),
        { numRuns: 250 },
      );
      if (!hasPython) {
        console.log(`      the trainer is left out: ${PYTHON} is missing; npm run bootstrap installs it`);
        return;
      }
      await run(PYTHON, ['-c', TRAINER, join(ROOT, 'trainer'), ...copies]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** Reads pictures as training does; ends with the reason of the first that it does not take. */
const TRAINER = `
import sys
sys.path.insert(0, sys.argv[1])
from partloop_trainer.data.dataset import Record, load_image
for path in sys.argv[2:]:
    load_image(Record(path, path, "", ()))
`;

/** The picture as training reads it, with a side of at most `side`. */
async function copyOf(bytes: Buffer, { width, height }: PictureFacts, side: number): Promise<Uint8Array> {
  const store = memoryStore();
  const label = await encodeLabel(new Uint8Array(width * height), width, height);
  const sha256 = (of: Uint8Array): string => createHash('sha256').update(of).digest('hex');
  const [imageId, labelSha256] = [sha256(bytes), sha256(label)];
  const [imageUri, labelUri] = [keys.image('cars', imageId), keys.label('cars', labelSha256)];
  await store.put(imageUri, bytes);
  await store.put(labelUri, label);
  const row: IndexRow = chunkRow(0, { width, height, imageId, imageUri, labelSha256, labelUri });
  return (await readDerivative(store, 'cars', row, { maxSide: side, classes: 254 })).image;
}
