import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encode } from 'fast-png';
import sharp from 'sharp';
import { PartloopError } from '../../domain/errors.js';
import { seededRandom } from '../../domain/random.js';
import { decodeLabel, encodeLabel } from '../../storage/labelMask.js';
import { png } from '../support/png.js';

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

  it('has the same bytes whenever it is encoded, so that its digest is its name', async () => {
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

  it('is refused as a colour picture, naming the file', async () => {
    const bytes = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await assert.rejects(decodeLabel(bytes, 'masks/7.png'), refuses(/masks\/7\.png is a colour PNG/));
  });

  it('is refused when cut short, when no PNG, and when it says it is gigantic', async () => {
    const whole = await encodeLabel(new Uint8Array(10_000).fill(3), 100, 100);
    await assert.rejects(decodeLabel(whole.subarray(0, whole.length - 30), 'cut.png'), refuses(/cut\.png/));
    await assert.rejects(decodeLabel(Buffer.from('hello'), 'text.png'), refuses(/text\.png/));
    const gigantic = Buffer.from(whole);
    gigantic.writeUInt32BE(200_000, 16);
    await assert.rejects(decodeLabel(gigantic, 'huge.png'), refuses(/huge\.png has 200000×100 pixels|huge\.png/));
  });

  it('is refused as another kind of picture, even where its bytes are those of a greyscale header', async () => {
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

  it('is refused when its data are damaged or end before its last row', async () => {
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

  it('is refused when it unpacks to more than its header says, before the memory is taken', async () => {
    const bomb = png({ width: 64, height: 64, depth: 1 }, Buffer.alloc(200_000_000));
    assert.ok(bomb.length < 1_000_000);
    await assert.rejects(decodeLabel(bomb, 'bomb.png'), refuses(/bomb\.png .*unpacks to more than its header says/));
  });

  it('is read without the colour profiles and texts around it, which may hold anything', async () => {
    const bytes = png({ width: 2, height: 2, depth: 8 }, Uint8Array.of(0, 1, 2, 0, 3, 4), [
      // A text that says it is compressed and is not: a decoder that reads it fails.
      ['zTXt', Buffer.from('Comment\0\0no deflate at all', 'latin1')],
    ]);
    assert.deepEqual([...(await decodeLabel(bytes)).pixels], [1, 2, 3, 4]);
  });

  it('is read where its data take more than one chunk and its rows are interlaced', async () => {
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
