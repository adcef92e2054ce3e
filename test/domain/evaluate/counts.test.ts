import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../domain/base/random.js';
import { bandWidth, countBoundary } from '../../../domain/evaluate/boundary.js';
import { ClassSums, countConfusion } from '../../../domain/evaluate/confusion.js';
import { evaluationSummarySchema, summariseEvaluation } from '../../../domain/evaluate/summary.js';
import type { EvaluationRow } from '../../../domain/tables.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { idOf, TAXONOMY } from '../sample/rows.js';

const CLASSES = 3;
const LABELS = [1, 2, 3];
const pixelsOf = (...values: number[]): Uint8Array => Uint8Array.from(values);
const value = fc.constantFrom(0, 1, 2, 3);

/** Given (255 is possible) and predicted values of a small picture. */
const pair = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })).chain(([width, height]) =>
  fc.record({
    width: fc.constant(width),
    height: fc.constant(height),
    given: fc
      .array(fc.oneof(value, fc.constant(255)), { minLength: width * height, maxLength: width * height })
      .map((values) => Uint8Array.from(values)),
    predicted: fc
      .array(value, { minLength: width * height, maxLength: width * height })
      .map((values) => Uint8Array.from(values)),
  }),
);

/** Values in blocks, so that there are pixels inside of parts. */
function blocks(width: number, height: number, random: () => number): Uint8Array {
  const pixels = new Uint8Array(width * height);
  for (let count = 1 + Math.floor(random() * 6); count > 0; count--) {
    const [left, top] = [Math.floor(random() * width), Math.floor(random() * height)];
    const [right, bottom] = [left + 1 + random() * width, top + 1 + random() * height];
    const value = Math.floor(random() * (CLASSES + 1));
    for (let y = top; y < Math.min(bottom, height); y++)
      for (let x = left; x < Math.min(right, width); x++) pixels[y * width + x] = value;
  }
  return pixels;
}

/** Whether the square around a pixel has another value or leaves the picture. */
function meetsOther(
  pixels: Uint8Array,
  width: number,
  height: number,
  { x, y, reach }: { x: number; y: number; reach: number },
): boolean {
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) {
      const [atX, atY] = [x + dx, y + dy];
      if (atX < 0 || atY < 0 || atX >= width || atY >= height) return true;
      if (pixels[atY * width + atX] !== pixels[y * width + x]) return true;
    }
  return false;
}

describe('confusion counts', () => {
  it('hold given label, prediction and pixels, and leave out ignored pixels', () => {
    const given = pixelsOf(0, 1, 1, 2, 255, 1);
    const predicted = pixelsOf(0, 1, 2, 2, 3, 1);
    assert.deepEqual(countConfusion(given, predicted), [0, 0, 1, 1, 1, 2, 1, 2, 1, 2, 2, 1]);
  });

  it('give the same IoU as a calculation by hand', () => {
    const sums = new ClassSums().add([0, 0, 10, 1, 1, 6, 1, 2, 2, 2, 2, 4, 0, 3, 5]);
    assert.equal(sums.iou(1), 6 / 8);
    assert.equal(sums.iou(2), 4 / 6);
    assert.equal(sums.iou(3), 0);
    // Class 3 is predicted only: it counts per image, and not in the whole-set headline.
    assert.equal(sums.miou(LABELS), (6 / 8 + 4 / 6) / 2);
    assert.equal(sums.miouOfPresent(LABELS), (6 / 8 + 4 / 6 + 0) / 3);
    assert.equal(new ClassSums().miou(LABELS), null);
    assert.equal(new ClassSums().miouOfPresent(LABELS), 1);
  });

  it('hold every pixel once, except ignored ones', () => {
    fc.assert(
      fc.property(pair, ({ given, predicted }) => {
        const triples = countConfusion(given, predicted);
        const total = triples.reduce((sum, count, at) => (at % 3 === 2 ? sum + count : sum), 0);
        assert.equal(total, given.filter((label) => label !== 255).length);
      }),
    );
  });

  it('give an IoU of 1 only if label and prediction agree', () => {
    fc.assert(
      fc.property(pair, ({ given, predicted }) => {
        const iou = new ClassSums().add(countConfusion(given, predicted)).miouOfPresent(LABELS);
        assert.ok(iou >= 0 && iou <= 1);
        const agree = given.every((label, at) => label === 255 || label === predicted[at]);
        assert.equal(iou === 1, agree);
      }),
    );
  });
});

describe('boundary counts', () => {
  it('match a straight edge that is one pixel off', () => {
    // 3 rows between others, band of one pixel: the label ends after column 4, the prediction after column 5.
    const inner = (edge: number): number[] => Array.from({ length: 10 }, (_, x) => (x < edge ? 1 : 2));
    const picture = (edge: number) => pixelsOf(...inner(edge), ...inner(edge), ...inner(edge), ...inner(edge));
    // Rows 0 and 3 are at the picture's edge. Of rows 1 and 2 the columns 0 and 9 are; class 1 has {4} and {5} beside
    // them, class 2 {5} and {6}.
    assert.deepEqual(countBoundary(picture(5), picture(6), 10, 4, CLASSES), [1, 12, 18, 2, 10, 16]);
    assert.deepEqual(countBoundary(picture(5), picture(5), 10, 4, CLASSES), [1, 14, 14, 2, 14, 14]);
  });

  it('have a boundary where the edge of the picture cuts a part', () => {
    const full = new Uint8Array(36).fill(1);
    assert.deepEqual(countBoundary(full, full, 6, 6, CLASSES), [1, 20, 20]);
  });

  it('count diagonal steps as one', () => {
    // The corner of the other value reaches the pixel diagonally beside it.
    const given = new Uint8Array(25).fill(1);
    given[6] = 2;
    const [, pixels] = countBoundary(given, given, 5, 5, CLASSES);
    // 16 at the edge, and of the inner nine those around the corner: 3; the corner itself is of class 2.
    assert.equal(pixels, 16 + 3);
  });

  it('have a band of 2 % of the diagonal, halves to the even neighbour', () => {
    const widths = [
      [75, 100],
      [175, 600],
      [125, 300],
      [512, 512],
      [512, 341],
      [1, 1],
    ].map(([width = 0, height = 0]) => bandWidth(width, height));
    assert.deepEqual(widths, [2, 12, 6, 14, 12, 1]);
  });

  it('equal an erosion by squares, pixel by pixel', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: 60 }), fc.integer()),
        ([width, height, seed]) => {
          const random = seededRandom('boundary', seed);
          const pixels = blocks(width, height, random);
          const reach = bandWidth(width, height);
          const expected = new Map<number, number>();
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++) {
              const label = pixels[y * width + x] as number;
              if (label === 0 || !meetsOther(pixels, width, height, { x, y, reach })) continue;
              expected.set(label, (expected.get(label) ?? 0) + 1);
            }
          const counts = countBoundary(pixels, pixels, width, height, CLASSES);
          const found = new Map<number, number>();
          for (let at = 0; at < counts.length; at += 3) found.set(counts[at] as number, counts[at + 1] as number);
          assert.deepEqual([...found].sort(), [...expected].sort());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leave out ignored pixels, which are another value for those beside them', () => {
    const given = new Uint8Array(49).fill(1);
    given[24] = 255;
    const predicted = new Uint8Array(49).fill(1);
    // 24 at the edge for both; 8 around the ignored pixel for the label alone.
    assert.deepEqual(countBoundary(given, predicted, 7, 7, CLASSES), [1, 24, 32]);
  });

  it('have an intersection as large as the union if label and prediction agree, and never a larger one', () => {
    fc.assert(
      fc.property(pair, ({ given, predicted, width, height }) => {
        const counts = countBoundary(given, predicted, width, height, CLASSES);
        for (let at = 0; at < counts.length; at += 3) {
          assert.ok((counts[at + 1] ?? 0) <= (counts[at + 2] ?? 0));
          assert.ok((counts[at] ?? 0) >= 1 && (counts[at] ?? 0) <= CLASSES);
        }
        const same = countBoundary(predicted, predicted, width, height, CLASSES);
        for (let at = 0; at < same.length; at += 3) assert.equal(same[at + 1], same[at + 2]);
      }),
    );
  });
});

describe('the summary of an evaluation', () => {
  const row = (n: number, fields: Partial<EvaluationRow> = {}): EvaluationRow => ({
    imageId: idOf(n),
    fileName: `car-${n}.jpg`,
    vehicleId: null,
    ...NO_TAGS,
    confusion: [1, 1, 10],
    boundary: [1, 4, 8],
    imageMiou: 1,
    calibration: null,
    ...fields,
  });

  it('is the sum of the counts of its images', () => {
    const rows = [
      row(1, { confusion: [1, 1, 30, 3, 0, 10], boundary: [1, 4, 8, 3, 0, 6], imageMiou: 0.5, black: true }),
      row(2, { confusion: [1, 1, 10, 1, 2, 10], boundary: [1, 2, 4], imageMiou: 0.25, black: false }),
    ];
    const summary = evaluationSummarySchema.parse(summariseEvaluation(rows, TAXONOMY));
    // hood 40 of 50, mirror 0 of 10; door has no ground truth and is left out.
    assert.equal(summary.miou, (0.8 + 0) / 2);
    assert.equal(summary.majorMiou, 0.8);
    assert.equal(summary.minorMiou, 0);
    assert.equal(summary.imageMiou, 0.375);
    assert.equal(summary.boundaryIou, (0.5 + 0) / 2);
    assert.deepEqual(
      summary.classes.map(({ name, iou, recall, pixels }) => [name, iou, recall, pixels]),
      [
        ['hood', 0.8, 0.8, 50],
        ['door', null, null, 0],
        ['mirror', 0, 0, 10],
      ],
    );
    assert.deepEqual(
      summary.worst.map(({ imageId }) => imageId),
      [idOf(2), idOf(1)],
    );
    assert.deepEqual(summary.slices, [
      { name: 'black=false', images: 1, miou: 0.5 },
      { name: 'black=true', images: 1, miou: 0.5 },
    ]);
  });

  it('names the weak spots that occur, and no others', () => {
    const slices = (fields: Partial<EvaluationRow>) =>
      summariseEvaluation([row(1, fields)], TAXONOMY).slices.map(({ name }) => name);
    assert.deepEqual(slices({}), []);
    assert.ok(slices({ black: true, reflection: true }).includes('black and reflective'));
    assert.ok(!slices({ black: true, reflection: false }).includes('black and reflective'));
    assert.ok(slices({ zoomed: true }).includes('zoomed'));
    assert.ok(slices({ damage: '2' }).includes('damaged'));
  });

  it('is empty for no images', () => {
    const summary = evaluationSummarySchema.parse(summariseEvaluation([], TAXONOMY));
    assert.deepEqual([summary.images, summary.miou, summary.imageMiou, summary.worst.length], [0, null, null, 0]);
  });
});
