import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { manifestSchema, REVIEW_FORMATS } from '../../../formats/manifest.js';
import { dropEnding, ExportNames, foldPath } from '../../../formats/names.js';
import type { ReturnedImage } from '../../../formats/reading/returned.js';
import { joinImages } from '../../../pool/review/joinImages.js';
import { assertComesBack, HEIGHT, manifestImage, WIDTH } from './kit.js';

const AWKWARD = [
  ...[
    'a.jpg',
    'a.jpg.png',
    'a.png',
    'A.JPG',
    'a',
    'a.txt',
    'a.png/b.jpg',
    'a/b.jpg',
    'a\\b.jpg',
    'A/B.jpg',
    '/a/b.jpg',
  ],
  ...['\u00fc.jpg', 'u\u0308.jpg', '\u00dc.jpg', 'stra\u00dfe.jpg', 'STRASSE.jpg', '\u1e9e.jpg', '\u212a.jpg', 'k.jpg'],
  ...[
    '\u03c3.jpg',
    '\u03c2.jpg',
    '\u0130.jpg',
    'i\u0307.jpg',
    '\ud800.jpg',
    '\udc00.jpg',
    '\u{1f697}.jpg',
    '\u200b.jpg',
  ],
  ...['a b.jpg', ' a b.jpg', 'a  b.jpg', 'a%20b.jpg', 'a%b.jpg', '%2e%2e/a.jpg', 'a+b.jpg', 'a?b.jpg', 'a&b=c.jpg'],
  ...[
    'con.jpg',
    'CON',
    'con_.jpg',
    '_con.jpg',
    'nul/a.jpg',
    'com1.tar.jpg',
    'a..jpg',
    'a.',
    'a. .jpg',
    '.jpg',
    '..',
    './a.jpg',
  ],
  ...[
    'v1.2',
    'v1.3',
    'v1.jpg',
    'car.v2',
    'car.jpg',
    'car.v2.jpg',
    'a:b.jpg',
    'a*b.jpg',
    'a\nb.jpg',
    'a\tb.jpg',
    'a_b.jpg',
  ],
  ...[
    `${'x'.repeat(300)}.jpg`,
    `${'x'.repeat(301)}.jpg`,
    `${'\u00e4'.repeat(400)}.jpg`,
    `${'d/'.repeat(500)}a.jpg`,
    's3://b/a.jpg',
  ],
];

/** Sets of names with traps of every kind, the same name several times among them. */
const fileNames = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...AWKWARD) },
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((name) => `${name}.jpg`),
    fc
      .tuple(fc.constantFrom(...AWKWARD), fc.constantFrom('.png', '.jpg', '.PNG', ''))
      .map(([name, more]) => name + more),
  ),
  { minLength: 1, maxLength: 12 },
);

const named = (names: readonly string[]) => {
  const taken = new ExportNames();
  return names.map((name, number) => {
    const { imageId } = manifestImage(number);
    return manifestImage(number, taken.take(name, imageId));
  });
};
/** A raster that no other image has. */
const rasterOf = (number: number): Uint8Array =>
  Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) =>
    pixel === number || pixel > number + 40 ? 1 + (number % 3) : 0,
  );

describe('names in an export', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  for (const format of REVIEW_FORMATS) {
    it(`lead each label of ${format} back to its own image, whatever the names of the pictures`, async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fileNames, async (names) => {
          const place = join(folder, String(run++));
          const parts = named(names).map((image, number) => ({ image, raster: rasterOf(number) }));
          await assertComesBack(place, format, parts);
        }),
        { numRuns: 40 },
      );
    });
  }

  it('lead back even if a tool drops our ids, changes case, slashes or Unicode form, or adds an ending', () => {
    const changes: ((name: string) => string)[] = [
      (name) => name,
      (name) => name.toUpperCase(),
      (name) => name.normalize('NFD'),
      (name) => name.normalize('NFC'),
      (name) => name.replaceAll('/', '\\'),
      (name) => `${name}.png`,
      (name) => `${dropEnding(name)}.png`,
      (name) => `/data/images/${name}`,
    ];
    fc.assert(
      fc.property(fileNames, fc.constantFrom(...changes), (names, change) => {
        const images = named(names);
        const returned = images.map(({ name }) => toolsImage(change(name)));
        const {
          images: joined,
          strangers,
          twice,
        } = joinImages(manifestOf(images), { images: returned, classes: null });
        assert.deepEqual([strangers, twice], [[], []]);
        for (const { image, found } of joined) assert.equal(found.name, change(image.name));
      }),
      { numRuns: 300 },
    );
  });

  it('are safe on every file system, and differ from names and files of other images', () => {
    fc.assert(
      fc.property(fileNames, (names) => {
        const seen = new Set<string>();
        for (const { name, file } of named(names)) {
          for (const part of `${file}.png`.split('/')) {
            assert.ok(part !== '' && !/[<>:"|?*\\\p{Cc}\p{Surrogate}]|[. ]$/u.test(part) && part !== '..', part);
            assert.ok(!/^(con|nul|com1)(\.|$)/i.test(part), part);
            assert.ok(Buffer.byteLength(part) < 255, part);
          }
          assert.ok(name.startsWith(file));
          for (const key of new Set([foldPath(name), foldPath(file)])) {
            assert.ok(!seen.has(key), key);
            seen.add(key);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('stay as they are if they are safe already', () => {
    const names = ['front/1.jpg', 'front/2.JPG', 'Gr\u00fcn 7.png', 'v1.2.jpg', '50 %.jpg'];
    assert.deepEqual(
      named(names).map(({ name }) => name),
      names,
    );
  });

  it('are matched by their ends alone only if no other image is possible', () => {
    const images = named(['left/1.jpg', 'right/1.jpg', 'left/2.jpg', 'car.jpg']);
    const read = (...names: string[]) => {
      const {
        images: joined,
        strangers,
        ambiguous,
      } = joinImages(manifestOf(images), {
        images: names.map(toolsImage),
        classes: null,
      });
      const refused = ambiguous.map(({ name, images: all }) => [name, ...all.map((image) => image.name)]);
      return [joined.map(({ image }) => image.name), [...strangers, ...refused]];
    };
    assert.deepEqual(read('2.png'), [['left/2.jpg'], []]);
    assert.deepEqual(read('1.jpg'), [[], [['1.jpg', 'left/1.jpg', 'right/1.jpg']]]);
    assert.deepEqual(read('left/1.jpg', 'x/1.png'), [['left/1.jpg'], [['x/1.png', 'left/1.jpg', 'right/1.jpg']]]);
    assert.deepEqual(read('train/right/1.png'), [['right/1.jpg'], []]);
    assert.deepEqual(read('/data/local-files/?d=left%2F2.jpg'), [['left/2.jpg'], []]);
    assert.deepEqual(read(`${images[3]?.imageId}.jpg`), [['car.jpg'], []]);
    // Another picture of the tool's, not the car without its ending.
    assert.deepEqual(read('car.v2'), [[], ['car.v2']]);
    // Who has the name itself goes before who merely ends like it.
    assert.deepEqual(read('other/car.jpg', 'car.jpg'), [['car.jpg'], ['other/car.jpg']]);
  });

  it('are reported if only their last part identified the image, so that people can spot a stranger', () => {
    const images = named(['left/1.jpg', 'left/2.jpg', 'car.jpg', 'left/3.jpg']);
    const names = ['1.jpg', 'data/left/2.jpg', 'other/car.jpg', `images/${images[3]?.imageId}`];
    const { images: joined } = joinImages(manifestOf(images), { images: names.map(toolsImage), classes: null });
    assert.deepEqual(joined.map(({ image, found, byLastPart }) => [found.name, image.name, byLastPart]).sort(), [
      ['1.jpg', 'left/1.jpg', true],
      ['data/left/2.jpg', 'left/2.jpg', false],
      [`images/${images[3]?.imageId}`, 'left/3.jpg', false],
      ['other/car.jpg', 'car.jpg', true],
    ]);
  });

  it('count more than ids that a tool copied along with a piece of another image', () => {
    const images = named(['1.jpg', '2.jpg']);
    const pasted = { ...toolsImage('2.jpg'), piecesId: images[0]?.imageId ?? '' };
    const renamed = { ...toolsImage('renamed.jpg'), piecesId: images[0]?.imageId ?? '' };
    const { images: joined } = joinImages(manifestOf(images), { images: [pasted, renamed], classes: null });
    assert.deepEqual(joined.map(({ image, found }) => [image.name, found.name]).sort(), [
      ['1.jpg', 'renamed.jpg'],
      ['2.jpg', '2.jpg'],
    ]);
  });

  it('match neither of two returned images that fit one exported image', () => {
    const images = named(['a/1.jpg']);
    const { images: joined, twice } = joinImages(manifestOf(images), {
      images: [toolsImage('x/1.jpg'), toolsImage('y/1.jpg')],
      classes: null,
    });
    assert.deepEqual([joined, twice.map(({ names }) => names)], [[], [['x/1.jpg', 'y/1.jpg']]]);
  });

  it('never lead to an image that has another id', () => {
    const images = named(['1.jpg']);
    const other = { ...toolsImage('1.jpg'), imageId: 'f'.repeat(64) };
    const { images: joined, strangers } = joinImages(manifestOf(images), { images: [other], classes: null });
    assert.deepEqual([joined, strangers], [[], ['1.jpg']]);
  });

  it('are read as written in older exports, which do not name the file', () => {
    const [first, second] = [manifestImage(1, { name: 'a.jpg' }), manifestImage(2, { name: 'a.jpg.png' })];
    const older = manifestSchema.parse({
      ...manifestOf([]),
      images: [first, second].map(({ file: _, ...image }) => image),
    });
    assert.deepEqual(
      older.images.map(({ file }) => file),
      ['a', 'a.jpg'],
    );
    const files = ['a', 'a.jpg'].map((name) => ({ ...toolsImage(name), isLabelFile: true as const }));
    const { images: joined } = joinImages(older, { images: files, classes: null });
    assert.deepEqual(
      joined.map(({ image, found }) => [image.name, found.name]),
      [
        ['a.jpg', 'a'],
        ['a.jpg.png', 'a.jpg'],
      ],
    );
  });
});

const toolsImage = (name: string): ReturnedImage => ({
  name,
  imageId: null,
  read: () => Promise.reject(new Error('nobody reads it')),
});

const manifestOf = (images: ReturnType<typeof named>) =>
  manifestSchema.parse({
    ...{ version: 1, exportId: 'E1', scan: 's', pool: 'cars', taxonomy: 't', format: 'coco', part: 1, parts: 1 },
    ...{ simplifyPx: 0, createdAt: '2026-01-01T00:00:00.000Z', classes: [], images },
  });
