import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encode } from 'fast-png';
import sharp from 'sharp';
import { PartloopError } from '../../../domain/base/errors.js';
import { seededRandom } from '../../../domain/base/random.js';
import { decodeLabel, encodeLabel } from '../../../storage/pictures/labelMask.js';
import { png } from '../../support/pictures/png.js';

const mask = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }))
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: width * height, maxLength: width * height })
      .map((pixels) => ({ pixels, width, height })),
  );

const refuses = (pattern: RegExp) => (error: unknown) =>
  error instanceof PartloopError && error.code === 'data-invalid' && pattern.test(error.message);

describe('a label mask', () => {
  it('keeps every value of every pixel', async () => {
    await fc.assert(
      fc.asyncProperty(mask, async ({ pixels, width, height }) => {
        assert.deepEqual(await decodeLabel(await encodeLabel(pixels, width, height)), { pixels, width, height });
      }),
      { numRuns: 50 },
    );
  });

  it('has the same bytes each time it is encoded, so that its digest is its name', async () => {
    const pixels = Uint8Array.from({ length: 64 }, (_, index) => index % 5);
    assert.ok((await encodeLabel(pixels, 8, 8)).equals(await encodeLabel(pixels, 8, 8)));
  });

  it('keeps the indices of a palette PNG, whatever its colours', async () => {
    const pixels = Uint8Array.from([0, 1, 2, 3, 3, 2, 1, 0, 2]);
    const palette: [number, number, number][] = [
      [9, 9, 9],
      [255, 0, 0],
      [255, 0, 0],
      [0, 0, 255],
    ];
    const bytes = encode({ width: 3, height: 3, data: pixels, channels: 1, depth: 8, palette });
    assert.deepEqual((await decodeLabel(bytes)).pixels, pixels);
  });

  it('keeps the values of a picture with fewer than 8 bits a pixel', async () => {
    const pixels = Uint8Array.from([0, 85, 170, 255, 0, 85, 170, 255, 85, 0]);
    const bytes = await sharp(pixels, { raw: { width: 5, height: 2, channels: 1 } })
      .toColourspace('b-w')
      .png({ palette: true, colours: 4, dither: 0 })
      .toBuffer();
    const decoded = await decodeLabel(bytes);
    assert.equal(new Set(decoded.pixels).size, 4);
    assert.ok(decoded.pixels.every((value) => value < 4));
    assert.equal(decoded.pixels[0], decoded.pixels[4]);
  });

  it('is refused as greyscale of fewer than 8 bits, since nobody can tell class 1 from white', async () => {
    for (const depth of [1, 2, 4]) {
      const bytes = png({ width: 8, height: 1, depth }, Uint8Array.of(0, ...new Array<number>(depth).fill(1)));
      await assert.rejects(decodeLabel(bytes, 'm.png'), refuses(/m\.png is greyscale of \d bits?: its 1 may mean/));
    }
  });

  it('is refused as a colour picture, naming the file', async () => {
    const bytes = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await assert.rejects(decodeLabel(bytes, 'masks/7.png'), refuses(/masks\/7\.png is a colour PNG/));
  });

  it('is read if its class numbers are opaque greys of several bands or of 16 bits', async () => {
    const pixels = Uint8Array.from([0, 1, 2, 3, 255, 2]);
    const size = { width: 3, height: 2 };
    const bands = (values: (value: number) => number[]) => Uint8Array.from([...pixels].flatMap(values));
    const kinds: [string, Uint8Array][] = [
      ['LA', encode({ ...size, data: bands((value) => [value, 255]), channels: 2 })],
      ['RGB', encode({ ...size, data: bands((value) => [value, value, value]), channels: 3 })],
      ['RGBA', encode({ ...size, data: bands((value) => [value, value, value, 255]), channels: 4 })],
      ['16 bits', encode({ ...size, data: Uint16Array.from(pixels), channels: 1, depth: 16 })],
    ];
    for (const [kind, bytes] of kinds) assert.deepEqual((await decodeLabel(bytes)).pixels, pixels, kind);
  });

  it('is refused if it is transparent somewhere, or has a value that 8 bits cannot hold', async () => {
    const clear = encode({ width: 2, height: 1, data: Uint8Array.of(1, 255, 2, 0), channels: 2 });
    await assert.rejects(decodeLabel(clear, 'clear.png'), refuses(/clear\.png is partly transparent/));
    const deep = encode({ width: 2, height: 1, data: Uint16Array.of(1, 257), channels: 1, depth: 16 });
    await assert.rejects(decodeLabel(deep, 'deep.png'), refuses(/deep\.png has 16 bits per pixel and the value 257/));
  });

  it('is refused as another kind of file, which is named', async () => {
    const jpeg = await sharp(new Uint8Array(64), { raw: { width: 8, height: 8, channels: 1 } })
      .jpeg()
      .toBuffer();
    await assert.rejects(decodeLabel(jpeg, 'a.jpg'), refuses(/a\.jpg is not a readable PNG: it is JPEG, and only PNG/));
    await assert.rejects(decodeLabel(Buffer.from('%PDF-1.7 …'), 'a.pdf'), refuses(/PDF is a document/));
    await assert.rejects(decodeLabel(Buffer.alloc(0), 'a.png'), refuses(/the file is empty/));
  });

  it('never decodes to other values, whatever byte is damaged', async () => {
    const pixels = Uint8Array.from({ length: 24 * 10 }, (_, at) => (at >> 3) & 1);
    const size = { width: 24, height: 10, channels: 1 } as const;
    const two: [number, number, number][] = [
      [0, 0, 0],
      [255, 0, 0],
    ];
    const kinds = [
      await encodeLabel(pixels, 24, 10),
      encode({ ...size, data: pixels, depth: 8, palette: two }),
      encode({ ...size, data: Uint16Array.from(pixels), depth: 16 }),
    ];
    const asTheyAre = await Promise.all(kinds.map(async (bytes) => (await decodeLabel(bytes)).pixels));
    await fc.assert(
      fc.asyncProperty(fc.nat(kinds.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }), async (kind, at, flip) => {
        const bytes = Buffer.from(kinds[kind] as Uint8Array);
        const place = at % bytes.length;
        bytes[place] = (bytes[place] as number) ^ flip;
        const decoded = await decodeLabel(bytes).catch((error: unknown) => {
          assert.ok(error instanceof PartloopError && error.code === 'data-invalid', String(error));
          return null;
        });
        if (decoded !== null) assert.deepEqual(decoded.pixels, asTheyAre[kind]);
      }),
      { numRuns: 400 },
    );
  });

  it('is refused if it is cut short, is no PNG, or declares a gigantic size', async () => {
    const whole = await encodeLabel(new Uint8Array(10_000).fill(3), 100, 100);
    await assert.rejects(decodeLabel(whole.subarray(0, whole.length - 30), 'cut.png'), refuses(/cut\.png/));
    await assert.rejects(decodeLabel(Buffer.from('hello'), 'text.png'), refuses(/text\.png/));
    const gigantic = Buffer.from(whole);
    gigantic.writeUInt32BE(200_000, 16);
    await assert.rejects(decodeLabel(gigantic, 'huge.png'), refuses(/huge\.png has 200000×100 pixels|huge\.png/));
  });

  it('is refused as another kind of picture, even if its bytes look like a greyscale header', async () => {
    const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#030303' } })
      .jpeg()
      .toBuffer();
    const comment = Buffer.alloc(34);
    comment.writeUInt32BE(0xfffe0020, 0);
    const disguised = Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]);
    disguised.set([8, 0], 24);
    assert.equal((await sharp(disguised).metadata()).format, 'jpeg');
    await assert.rejects(decodeLabel(disguised, 'photo.png'), refuses(/photo\.png is not a readable PNG/));
  });

  it('is refused if its data are damaged or end before its last row', async () => {
    const whole = await encodeLabel(
      Uint8Array.from({ length: 10_000 }, (_, pixel) => pixel % 7),
      100,
      100,
    );
    const damaged = Buffer.from(whole);
    const data = damaged.indexOf('IDAT') + 4;
    for (let at = data + 8; at < data + 24; at++) damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    await assert.rejects(decodeLabel(damaged, 'damaged.png'), refuses(/damaged\.png is not a readable PNG/));
    const short = png({ width: 4, height: 4, depth: 8 }, Uint8Array.of(0, 1, 2, 3, 4, 0, 1, 2, 3, 4));
    await assert.rejects(decodeLabel(short, 'short.png'), refuses(/short\.png is not a readable PNG/));
  });

  it('is refused if it unpacks to more than its header says, before it takes the memory', async () => {
    const bomb = png({ width: 64, height: 64, depth: 1 }, Buffer.alloc(200_000_000));
    assert.ok(bomb.length < 1_000_000);
    await assert.rejects(decodeLabel(bomb, 'bomb.png'), refuses(/bomb\.png .*unpacks to more than its header says/));
  });

  it('is read without its colour profiles and texts, which may hold anything', async () => {
    const bytes = png({ width: 2, height: 2, depth: 8 }, Uint8Array.of(0, 1, 2, 0, 3, 4), [
      // A text that says it is compressed and is not: a decoder that reads it fails.
      ['zTXt', Buffer.from('Comment\0\0no deflate at all', 'latin1')],
    ]);
    assert.deepEqual([...(await decodeLabel(bytes)).pixels], [1, 2, 3, 4]);
  });

  it('is read if its data take more than one chunk and its rows are interlaced', async () => {
    const random = seededRandom('many chunks');
    const pixels = Uint8Array.from({ length: 500 * 400 }, () => Math.floor(16 * random()));
    const bytes = await sharp(pixels, { raw: { width: 500, height: 400, channels: 1 } })
      .toColourspace('b-w')
      .png({ progressive: true })
      .toBuffer();
    assert.ok(bytes.length > 65_000);
    assert.deepEqual((await decodeLabel(bytes)).pixels, pixels);
  });
});
