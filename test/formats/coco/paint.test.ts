import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { readCoco } from '../../../formats/coco/import.js';
import { segmentationShape } from '../../../formats/coco/segmentation.js';
import { paintShapes } from '../../../formats/paint.js';
import { readLabel } from '../../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { picture, runImport, save, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { box, CocoFolder, HEIGHT, imageEntry, WIDTH } from './kit.js';

describe('painting a label from COCO annotations', function () {
  this.timeout(120_000);
  const coco = CocoFolder.perTest();

  /** Label values of the one picture of 24×16 that carries `annotations`. */
  const labelled = async (annotations: readonly object[]): Promise<(x: number, y: number) => number | undefined> => {
    await save(coco.path, 'images/1.jpg', await picture(1));
    const path = await coco.annotationFile(annotations.map((entry) => ({ image_id: 1, ...entry })));
    const store = memoryStore();
    const { refused } = await runImport(
      store,
      readCoco({ place: join(coco.path, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false }),
    );
    assert.deepEqual(refused, []);
    const [row] = await (await openPool(store, 'cars')).readIndex(1);
    assert.ok(row);
    const { pixels } = await decodeLabel(await readLabel(store, row));
    return (x, y) => pixels[y * WIDTH + x];
  };

  it('paints every polygon of a part, even if it is split in two', async () => {
    const at = await labelled([{ category_id: 2, segmentation: [box(0, 0, 4, 4), box(10, 10, 12, 12)] }]);
    assert.deepEqual([at(0, 0), at(3, 3), at(4, 4), at(10, 10), at(11, 11), at(12, 12)], [1, 1, 0, 1, 1, 0]);
  });

  it('leaves no gap and no ambiguity between parts that touch', async () => {
    const at = await labelled([
      { category_id: 2, segmentation: [box(0, 0, 6.5, 16)] },
      { category_id: 3, segmentation: [box(6.5, 0, 24, 16)] },
    ]);
    assert.deepEqual([at(5, 8), at(6, 8), at(7, 8)], [1, 2, 2]);
  });

  it('puts the smaller annotation on top in any order, and of equal areas the later one', async () => {
    const hood = { category_id: 2, segmentation: [box(0, 0, 10, 10)] };
    const mirror = { category_id: 4, segmentation: [box(4, 4, 6, 6)] };
    const nothing = { category_id: 1, segmentation: [box(0, 0, 24, 16)] };
    for (const order of [
      [hood, mirror],
      [mirror, hood],
      [mirror, hood, nothing],
    ]) {
      const at = await labelled(order);
      assert.deepEqual([at(2, 2), at(5, 5)], [1, 3]);
    }
    const at = await labelled([mirror, { category_id: 3, segmentation: mirror.segmentation }]);
    assert.equal(at(5, 5), 2);
  });

  it('takes a polygon of 150,000 points, and names an invalid one without printing it all', async () => {
    const points = 150_000;
    const circle = Array.from({ length: points }, (_, point) => {
      const turn = (2 * Math.PI * point) / points;
      return [12 + 6 * Math.cos(turn), 8 + 6 * Math.sin(turn)];
    });
    const at = await labelled([{ category_id: 2, segmentation: [circle.flat()] }]);
    assert.deepEqual([at(12, 8), at(7, 8), at(5, 8), at(0, 0)], [1, 1, 0, 0]);
    await save(coco.path, 'images/2.jpg', await picture(2));
    const bad = { image_id: 1, category_id: 2, segmentation: [new Array<string>(300_000).fill('x')] };
    const path = await coco.annotationFile(
      [bad, { image_id: 2, category_id: 2, segmentation: [box(0, 0, 4, 4)] }],
      [imageEntry(1), imageEntry(2)],
    );
    const { added, refused } = await runImport(
      memoryStore(),
      readCoco({ place: join(coco.path, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false }),
    );
    assert.equal(added, 1);
    assert.deepEqual(
      refused.map(({ fileName }) => fileName),
      ['1.jpg'],
    );
    assert.ok((refused[0]?.reason.length ?? 0) < 500, refused[0]?.reason.slice(0, 600));
  });

  it('keeps the hole of a run-length mask', async () => {
    const inside = (x: number, y: number): boolean =>
      x >= 2 && x < 12 && y >= 2 && y < 12 && !(x >= 5 && x < 8 && y >= 5 && y < 8);
    const counts = runsOf(inside);
    for (const encoded of [counts, compressed(counts)]) {
      const at = await labelled([{ category_id: 3, segmentation: { size: [HEIGHT, WIDTH], counts: encoded } }]);
      assert.deepEqual([at(2, 2), at(11, 11), at(6, 6), at(12, 12), at(2, 11)], [2, 2, 0, 0, 2]);
    }
  });

  it('reads the compressed form of any run-length mask like the plain one', () => {
    const shape = fc.array(fc.boolean(), { minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT });
    fc.assert(
      fc.property(shape, (bits) => {
        const counts = runsOf((x, y) => bits[y * WIDTH + x] === true);
        const canvas = { width: WIDTH, height: HEIGHT };
        const painted = (written: number[] | string): Uint8Array =>
          paintShapes([segmentationShape({ size: [HEIGHT, WIDTH], counts: written }, 7, canvas)], canvas);
        const plain = painted(counts);
        const packed = painted(compressed(counts));
        assert.deepEqual(packed, plain);
        assert.deepEqual(
          [...plain],
          bits.map((bit) => (bit ? 7 : 0)),
        );
      }),
      { numRuns: 30 },
    );
  });
});

/** Runs of 0 and 1 in turn, column by column, starting with 0. */
function runsOf(inside: (x: number, y: number) => boolean): number[] {
  const runs = [0];
  let current = false;
  for (let x = 0; x < WIDTH; x++) {
    for (let y = 0; y < HEIGHT; y++) {
      if (inside(x, y) !== current) {
        runs.push(0);
        current = !current;
      }
      runs.push((runs.pop() ?? 0) + 1);
    }
  }
  return runs;
}

/** COCO's text form, after `rleToString` of its reference implementation. */
function compressed(runs: readonly number[]): string {
  let text = '';
  for (const [index, run] of runs.entries()) {
    let rest = index > 2 ? run - (runs[index - 2] ?? 0) : run;
    for (let more = true; more; ) {
      const bits = rest & 31;
      rest >>= 5;
      more = (bits & 16) !== 0 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode((more ? bits | 32 : bits) + 48);
    }
  }
  return text;
}
