import assert from 'node:assert/strict';
import fc from 'fast-check';
import { renderMask } from '../../demo/car/render.js';
import { NO_JITTER } from '../../demo/car/scene.js';
import { assignSpoils, spoilCounts } from '../../demo/spoil/assign.js';
import { spoil } from '../../demo/spoil/spoil.js';
import { SPOIL_KINDS, SPOIL_SHARES, SPOILED_SHARE } from '../../demo/spoil/truth.js';
import { seededRandom } from '../../domain/base/random.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { mirrorTable } from '../../domain/taxonomy.js';

const SIZE = 128;
const sides = { mirror: mirrorTable(carParts34), count: carParts34.classes.length };
const label = renderMask(
  {
    vehicleId: 'car',
    vehicle: 'suv',
    sceneSeed: 'scene',
    noise: 'n',
    jitter: NO_JITTER,
    tags: {
      angle: 45,
      vehicle: 'suv',
      damage: 'none',
      black: false,
      reflection: false,
      zoomed: false,
      orientation: 'left',
      region: 'exterior',
    },
  },
  SIZE,
);

/** Offsets at which two labels differ. */
const changes = (pixels: Uint8Array): number[] => [...pixels.keys()].filter((at) => pixels[at] !== label.pixels[at]);

describe('spoiling labels', () => {
  it("matches the proportions of people's errors to within one label", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), (images) => {
        const counts = spoilCounts(images);
        const total = Math.round(images * SPOILED_SHARE);
        assert.equal(
          Object.values(counts).reduce((a, b) => a + b, 0),
          total,
        );
        for (const kind of SPOIL_KINDS) assert.ok(Math.abs(counts[kind] - total * SPOIL_SHARES[kind]) < 1);
      }),
    );
  });

  it('spoils no label twice, and skips labels that do not allow a kind', () => {
    const done = new Map<number, string>();
    assignSpoils(100, seededRandom('assign'), (image, kind) => {
      if (image % 2 === 0 && kind === 'mirrored') return false;
      assert.ok(!done.has(image));
      done.set(image, kind);
      return true;
    });
    assert.equal(done.size, 15);
    assert.ok([...done].every(([image, kind]) => kind !== 'mirrored' || image % 2 === 1));
  });

  it('is deterministic, never touches the clean label and always changes enough to count as wrong', () => {
    const before = Uint8Array.from(label.pixels);
    for (const kind of SPOIL_KINDS) {
      for (let seed = 0; seed < 20; seed++) {
        const spoiled = spoil(kind, label, sides, seededRandom(kind, seed));
        assert.ok(spoiled !== null);
        assert.deepEqual(spoiled, spoil(kind, label, sides, seededRandom(kind, seed)));
        assert.deepEqual(label.pixels, before);
        assert.ok(changes(spoiled.pixels).length >= 0.001 * SIZE * SIZE, kind);
        assert.ok(spoiled.planted.every((error) => error.kind === kind));
      }
    }
  });

  it('removes one to six parts, and says which', () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 80; seed++) {
      const spoiled = spoil('missing_part', label, sides, seededRandom('missing', seed));
      assert.ok(spoiled !== null);
      counts.add(spoiled.planted.length);
      const named = new Set(spoiled.planted.map(({ trueClassId }) => trueClassId));
      for (const at of changes(spoiled.pixels)) {
        assert.equal(spoiled.pixels[at], 0);
        assert.ok(named.has(label.pixels[at] ?? 0));
      }
    }
    assert.deepEqual([...counts].sort(), [1, 2, 3, 4, 5, 6]);
  });

  it('swaps and mirrors only pairs of the taxonomy, and misnames parts as any other class', () => {
    for (let seed = 0; seed < 30; seed++) {
      for (const kind of ['swapped', 'mirrored', 'wrong_class'] as const) {
        const spoiled = spoil(kind, label, sides, seededRandom(kind, seed));
        assert.ok(spoiled !== null);
        for (const at of changes(spoiled.pixels))
          assert.equal(sides.mirror[label.pixels[at] ?? 0] === spoiled.pixels[at], kind !== 'wrong_class');
      }
    }
  });
});
