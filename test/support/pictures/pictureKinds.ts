import sharp, { type Sharp } from 'sharp';
import { png } from './png.js';

export const WIDTH = 90;
export const HEIGHT = 60;

/** What a kind of picture file must come to. */
export interface KindOfPicture {
  name: string;
  bytes: Buffer;
  /** Mean difference a channel to what Pillow makes of it by the book; null if the book leaves it open. */
  byTheBook: number | null;
  /** The trainer's copy has equal pixels: it is the file's own JPEG data, or a PNG. */
  exact: boolean;
}

const raw = { width: WIDTH, height: HEIGHT };

/** Smooth colours, few of them far out, so that no colour space clips them much. */
const colours = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => {
  const [x, y] = [Math.floor(at / 3) % WIDTH, Math.floor(at / 3 / WIDTH)];
  const waves = [Math.sin(x / 9), Math.cos(y / 7), Math.sin((x + y) / 11)];
  return Math.round(128 + 90 * (waves[at % 3] ?? 0));
});
const deep = Uint16Array.from(colours, (value) => value * 257);

/** The picture that all kinds show. */
export const picture = (): Sharp => sharp(colours, { raw: { ...raw, channels: 3 } });
const grey = (): Sharp =>
  sharp(
    colours.filter((_, at) => at % 3 === 0),
    { raw: { ...raw, channels: 1 } },
  ).toColourspace('b-w');
const deepPicture = (): Sharp => sharp(deep, { raw: { ...raw, channels: 3 } }).toColourspace('rgb16');
const deepGrey = (): Sharp =>
  sharp(
    deep.filter((_, at) => at % 3 === 0),
    { raw: { ...raw, channels: 1 } },
  ).toColourspace('grey16');

/** From clear at the left to opaque at the right. */
const faded = (bands: 1 | 3): Sharp => {
  const pixels = new Uint8Array(WIDTH * HEIGHT * (bands + 1));
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel++) {
    for (let band = 0; band < bands; band++) pixels[pixel * (bands + 1) + band] = colours[pixel * 3 + band] as number;
    pixels[pixel * (bands + 1) + bands] = Math.round((255 * (pixel % WIDTH)) / (WIDTH - 1));
  }
  const image = sharp(pixels, { raw: { ...raw, channels: bands === 1 ? 2 : 4 } });
  return bands === 1 ? image.toColourspace('b-w') : image;
};

/** A JPEG stored so that EXIF `orientation` turns it upright. */
async function turned(orientation: number): Promise<Buffer> {
  const stored = [
    picture(),
    picture().flop(),
    picture().rotate(180),
    picture().flip(),
    picture().rotate(90).flop(),
    picture().rotate(-90),
    picture().rotate(-90).flop(),
    picture().rotate(90),
  ][orientation - 1];
  if (stored === undefined) throw new RangeError(`there is no orientation ${orientation}`);
  return withOrientation(await stored.jpeg({ quality: 90 }).toBuffer(), orientation);
}

/** EXIF as cameras write it, with nothing else: sharp adds a profile to it. */
function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), Buffer.from(tiff)]);
  const marker = Buffer.from([0xff, 0xe1, 0, body.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), marker, body, jpeg.subarray(2)]);
}

async function moving(): Promise<Sharp> {
  const first = await picture().png().toBuffer();
  const second = await picture().negate().png().toBuffer();
  return sharp([first, second], { join: { animated: true } });
}

/** One bit a pixel: rows of whole bytes behind their filter byte. */
function oneBit(): Buffer {
  const stride = 1 + Math.ceil(WIDTH / 8);
  const rows = Uint8Array.from({ length: stride * HEIGHT }, (_, at) => (at % stride === 0 ? 0 : (at * 37) & 255));
  return png({ width: WIDTH, height: HEIGHT, depth: 1 }, rows);
}

/** A PNG with one more chunk behind its header; `body` is what it holds. */
function withChunk(bytes: Buffer, type: string, body: Buffer): Buffer {
  const made = png({ width: 1, height: 1, depth: 8 }, Buffer.alloc(2), [[type, body]]);
  const start = made.indexOf(type) - 4;
  const header = 8 + 12 + 13;
  return Buffer.concat([
    bytes.subarray(0, header),
    made.subarray(start, start + 12 + body.length),
    bytes.subarray(header),
  ]);
}

/** Every kind of picture that is read. */
export async function kindsOfPictures(): Promise<KindOfPicture[]> {
  const jpeg = { quality: 90 };
  const plain = await picture().jpeg(jpeg).toBuffer();
  const orientations = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8].map(async (orientation) => ({
      name: `orientation-${orientation}.jpg`,
      bytes: await turned(orientation),
      byTheBook: 0.1,
      exact: orientation === 1,
    })),
  );
  const key = Buffer.alloc(6);
  for (let band = 0; band < 3; band++) key.writeUInt16BE(colours[band] as number, 2 * band);
  const kinds: [name: string, bytes: Buffer | Promise<Buffer>, byTheBook: number | null, exact: boolean][] = [
    ['plain.jpg', plain, 0, true],
    ['plain-444.jpg', picture().jpeg({ quality: 97, chromaSubsampling: '4:4:4' }).toBuffer(), 0, true],
    [
      'progressive.jpg',
      picture()
        .jpeg({ ...jpeg, progressive: true })
        .toBuffer(),
      0,
      true,
    ],
    ['grey.jpg', grey().jpeg(jpeg).toBuffer(), 0, true],
    ['trailing.jpg', Buffer.concat([plain, Buffer.from('more that no decoder looks at')]), 0, true],
    ['srgb-profile.jpg', picture().withIccProfile('srgb').jpeg(jpeg).toBuffer(), 0.5, false],
    ['p3.jpg', picture().withIccProfile('p3').jpeg(jpeg).toBuffer(), 1, false],
    ['cmyk.jpg', picture().toColourspace('cmyk').jpeg(jpeg).toBuffer(), null, false],
    ['plain.png', picture().png().toBuffer(), 0, true],
    ['interlaced.png', picture().png({ progressive: true }).toBuffer(), 0, true],
    ['png-named-jpeg.jpg', picture().png({ compressionLevel: 1 }).toBuffer(), 0, true],
    ['p3.png', picture().withIccProfile('p3').png().toBuffer(), 1, true],
    ['grey.png', grey().png().toBuffer(), 0, true],
    ['one-bit.png', oneBit(), 0, true],
    ['grey-alpha.png', faded(1).png().toBuffer(), 1, true],
    ['alpha.png', faded(3).png().toBuffer(), 1, true],
    [
      'clear-colour.png',
      picture()
        .png()
        .toBuffer()
        .then((bytes) => withChunk(bytes, 'tRNS', key)),
      1,
      true,
    ],
    ['palette.png', picture().png({ palette: true, colours: 32 }).toBuffer(), 0, true],
    ['palette-alpha.png', faded(3).png({ palette: true, colours: 64 }).toBuffer(), 1, true],
    ['deep-grey.png', deepGrey().png().toBuffer(), 0.5, true],
    ['deep.png', deepPicture().png().toBuffer(), 0.5, true],
    ['deep-p3.png', deepPicture().withIccProfile('p3').png().toBuffer(), 1, true],
    [
      'gamma.png',
      picture()
        .png()
        .toBuffer()
        .then((bytes) => withChunk(bytes, 'gAMA', Buffer.from([0, 1, 0x86, 0xa0]))),
      0,
      true,
    ],
    ['lossy.webp', picture().webp().toBuffer(), 1, true],
    ['lossless.webp', picture().webp({ lossless: true }).toBuffer(), 0, true],
    ['alpha.webp', faded(3).webp({ lossless: true }).toBuffer(), 1, true],
    ['moving.webp', moving().then((image) => image.webp({ lossless: true }).toBuffer()), 0, true],
    ['still.gif', picture().gif().toBuffer(), 0, true],
    ['moving.gif', moving().then((image) => image.gif().toBuffer()), 0, true],
    ['plain.tif', picture().tiff({ compression: 'lzw' }).toBuffer(), 0, true],
    ['packed-jpeg.tif', picture().tiff({ compression: 'jpeg', quality: 95 }).toBuffer(), 1, true],
    ['alpha.tif', faded(3).tiff({ compression: 'deflate' }).toBuffer(), 1, true],
    ['plain.avif', picture().avif({ quality: 90 }).toBuffer(), 1, true],
  ];
  const made = kinds.map(async ([name, bytes, byTheBook, exact]) => ({ name, bytes: await bytes, byTheBook, exact }));
  return [...(await Promise.all(made)), ...orientations];
}
