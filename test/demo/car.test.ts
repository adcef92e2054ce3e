import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { MIN_PART_PX, regions } from '../../demo/car/mask.js';
import { render, renderMask } from '../../demo/car/render.js';
import { NO_JITTER, type SceneSpec } from '../../demo/car/scene.js';
import { ANGLES, VEHICLES } from '../../domain/tags.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { labelNames, mirrorTable } from '../../domain/taxonomy.js';

const SIZE = 128;
const NAMES = labelNames(carParts34);

function specOf(over: Partial<SceneSpec['tags']>, seed = 'a'): SceneSpec {
  const tags: SceneSpec['tags'] = {
    angle: 90,
    vehicle: 'sedan',
    damage: 'none',
    black: false,
    reflection: false,
    zoomed: false,
    orientation: 'left',
    region: 'exterior',
    ...over,
  };
  return {
    vehicleId: `car-${seed}`,
    vehicle: tags.vehicle,
    sceneSeed: `scene-${seed}`,
    noise: seed,
    jitter: NO_JITTER,
    tags,
  };
}

const anySpec = fc
  .record({
    vehicle: fc.constantFrom(...VEHICLES),
    angle: fc.constantFrom(...ANGLES),
    left: fc.boolean(),
    zoomed: fc.boolean(),
    seed: fc.nat(10_000),
  })
  .map(({ vehicle, angle, left, zoomed, seed }) =>
    specOf(
      { vehicle, angle, zoomed, orientation: angle === 0 || angle === 180 ? 'none' : left ? 'left' : 'right' },
      String(seed),
    ),
  );

/** Zoomed at an angle at which a trunk lid would show beside the cabin. */
const PEEPING_TAILGATE = specOf({ angle: 15, vehicle: 'sedan', zoomed: true, orientation: 'left' }, '7131');

/** Mean x of each class present, by name. */
function centres(pixels: Uint8Array): Map<string, number> {
  const sums = new Map<string, { x: number; count: number }>();
  pixels.forEach((value, at) => {
    if (value === 0) return;
    const name = NAMES[value] ?? '';
    const sum = sums.get(name) ?? { x: 0, count: 0 };
    sums.set(name, { x: sum.x + (at % SIZE), count: sum.count + 1 });
  });
  return new Map([...sums].map(([name, { x, count }]) => [name, x / count]));
}

describe('the rendered car', () => {
  it('has a mask of class values alone, and each of its parts shows at least 40 square pixels somewhere', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const { pixels } = renderMask(spec, SIZE);
        const largest = new Map<number, number>();
        for (const { value, area } of regions(
          Int16Array.from(pixels, (v) => (v === 0 ? -1 : v)),
          SIZE,
        ))
          largest.set(value, Math.max(largest.get(value) ?? 0, area));
        for (const [value, area] of largest) {
          assert.ok(value >= 1 && value <= 34);
          assert.ok(area >= MIN_PART_PX, `${NAMES[value]} has ${area} px²`);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('fills at least 80 % of the frame unless it is zoomed', () => {
    fc.assert(
      fc.property(
        anySpec.filter(({ tags }) => tags.zoomed === false),
        (spec) => {
          const { pixels } = renderMask(spec, SIZE);
          const xs = [...pixels.keys()].filter((at) => pixels[at] !== 0);
          const columns = xs.map((at) => at % SIZE);
          const rows = xs.map((at) => Math.floor(at / SIZE));
          const extent = (values: number[]): number => Math.max(...values) - Math.min(...values) + 1;
          // Only pixels whose centres are covered count: up to one less than the extent.
          assert.ok(Math.max(extent(columns), extent(rows)) > 0.8 * SIZE - 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("shows the driver's left on the right of the picture from the front, and on the left from behind", () => {
    const front = centres(renderMask(specOf({ angle: 0, orientation: 'none' }), SIZE).pixels);
    const rear = centres(renderMask(specOf({ angle: 180, orientation: 'none' }), SIZE).pixels);
    for (const part of ['headlight', 'mirror', 'indicator'])
      assert.ok((front.get(`left_${part}`) ?? 0) > (front.get(`right_${part}`) ?? 999), part);
    for (const part of ['taillight', 'mirror', 'reflector'])
      assert.ok((rear.get(`left_${part}`) ?? 999) < (rear.get(`right_${part}`) ?? 0), part);
  });

  it('shows only the side that the orientation names, with its front to the left for the left side', () => {
    const left = centres(renderMask(specOf({ orientation: 'left' }), SIZE).pixels);
    const right = centres(renderMask(specOf({ orientation: 'right' }), SIZE).pixels);
    assert.ok(left.has('left_front_door') && !left.has('right_front_door'));
    assert.ok(right.has('right_front_door') && !right.has('left_front_door'));
    assert.ok((left.get('left_front_door') ?? 999) < (left.get('left_rear_door') ?? 0));
    assert.ok((right.get('right_front_door') ?? 0) > (right.get('right_rear_door') ?? 999));
  });

  it('shows parts only from the angles that the taxonomy gives for them', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        for (const value of new Set(renderMask(spec, SIZE).pixels)) {
          const range = carParts34.classes[value - 1]?.angles;
          if (value !== 0 && range != null)
            assert.ok(
              spec.tags.angle >= range[0] && spec.tags.angle <= range[1],
              `${NAMES[value]} at ${spec.tags.angle}`,
            );
        }
      }),
      { numRuns: 150, examples: [[PEEPING_TAILGATE]] },
    );
  });

  it('gives the same bytes for the same scene, and a picture that agrees with its mask', async () => {
    const spec = specOf({ angle: 30, damage: '2', reflection: true });
    const [first, second] = await Promise.all([render(spec, SIZE), render(spec, SIZE)]);
    assert.deepEqual(first.jpeg, second.jpeg);
    assert.deepEqual(first.mask.pixels, second.mask.pixels);
    const { width, height } = await sharp(first.jpeg).metadata();
    assert.deepEqual([width, height], [SIZE, SIZE]);
  });
});

describe('the taxonomy of car parts', () => {
  it('has 24 major and 10 minor classes whose left and right mirror each other', () => {
    assert.equal(carParts34.classes.filter(({ group }) => group === 'major').length, 24);
    assert.equal(carParts34.classes.filter(({ group }) => group === 'minor').length, 10);
    const mirror = mirrorTable(carParts34);
    NAMES.forEach((name, value) => {
      const counterpart = NAMES[mirror[value] ?? 0];
      assert.equal(
        counterpart,
        name.startsWith('left_') ? name.replace('left_', 'right_') : name.replace('right_', 'left_'),
      );
    });
  });

  it('names both of any two neighbours as neighbours of each other', () => {
    const byName = new Map(carParts34.classes.map((entry) => [entry.name, entry]));
    for (const entry of carParts34.classes) {
      for (const neighbour of entry.adjacent)
        assert.ok(byName.get(neighbour)?.adjacent.includes(entry.name), `${neighbour} does not name ${entry.name}`);
    }
  });
});
