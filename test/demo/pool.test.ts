import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderMask } from '../../demo/car/render.js';
import { MAX_JITTER_DEGREES, MAX_JITTER_PX } from '../../demo/car/scene.js';
import { planPool } from '../../demo/plan.js';
import { generateDemo } from '../../demo/pool.js';
import { DEMO_COUNTS } from '../../demo/settings.js';
import { readTruth } from '../../demo/summary.js';
import { ANGLES, DAMAGES, ORIENTATIONS, VEHICLES } from '../../domain/tags.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';

const TINY = { train: 40, val: 4, test: 8, interior: 2 };

describe('the plan of the demo pool', () => {
  const plan = planPool(7, DEMO_COUNTS);
  const of = (split: string) => plan.filter((image) => image.split === split);

  it('has three chunks for training and never the same vehicle in two splits', () => {
    assert.equal(of('train').length, 390);
    assert.equal(of('test').length, 156);
    const splits = new Map<string, Set<string>>();
    for (const { split, spec } of plan)
      splits.set(spec.vehicleId, (splits.get(spec.vehicleId) ?? new Set()).add(split));
    for (const [vehicle, seen] of splits) assert.equal(seen.size, 1, vehicle);
  });

  it('is skewed in training: most pictures are near duplicates of few scenes', () => {
    const scenes = new Map<string, number>();
    for (const { spec } of of('train')) scenes.set(spec.sceneSeed, (scenes.get(spec.sceneSeed) ?? 0) + 1);
    const repeated = [...scenes.values()].filter((count) => count > 1);
    assert.ok(repeated.length <= 30);
    assert.ok(repeated.reduce((a, b) => a + b, 0) >= 0.55 * 390);
  });

  it('departs from a scene by at most 1 degree and 2 pixels', () => {
    for (const {
      spec: { jitter },
    } of plan) {
      assert.ok(Math.abs(jitter.yaw) <= MAX_JITTER_DEGREES);
      assert.ok(Math.abs(jitter.dx) <= MAX_JITTER_PX && Math.abs(jitter.dy) <= MAX_JITTER_PX);
    }
    assert.deepEqual([MAX_JITTER_DEGREES, MAX_JITTER_PX], [1, 2]);
  });

  it('balances vehicles, angles and sides in the test set and shows every tag in training and test', () => {
    const count = (choose: (spec: (typeof plan)[number]['spec']) => unknown) => {
      const counts = new Map<unknown, number>();
      for (const { spec } of of('test')) counts.set(choose(spec), (counts.get(choose(spec)) ?? 0) + 1);
      return counts;
    };
    assert.deepEqual(
      [...count(({ tags }) => tags.vehicle).values()],
      VEHICLES.map(() => 26),
    );
    assert.deepEqual(
      [...count(({ tags }) => tags.angle).values()],
      ANGLES.map(() => 12),
    );
    assert.equal(count(({ tags }) => tags.orientation).get('left'), count(({ tags }) => tags.orientation).get('right'));
    for (const split of ['train', 'test']) {
      const tags = of(split).map(({ spec }) => spec.tags);
      for (const angle of ANGLES) assert.ok(tags.some((each) => each.angle === angle));
      for (const vehicle of VEHICLES) assert.ok(tags.some((each) => each.vehicle === vehicle));
      for (const damage of DAMAGES) assert.ok(tags.some((each) => each.damage === damage));
      for (const side of ORIENTATIONS) assert.ok(tags.some((each) => each.orientation === side));
      for (const flag of ['black', 'reflection', 'zoomed'] as const)
        for (const value of [true, false]) assert.ok(tags.some((each) => each[flag] === value));
    }
  });

  it('shows every class in training and in the test set', () => {
    for (const split of ['train', 'test']) {
      const present = new Set(of(split).flatMap(({ spec }) => [...new Set(renderMask(spec, 128).pixels)]));
      assert.equal(present.size, 35, split);
    }
  });
});

describe('the generated demo data', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-demo-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('keeps the truth outside the data, and spoils exactly the labels that the truth names', async () => {
    const dir = join(folder, 'data');
    const { manifest, truth } = await generateDemo({ dir, seed: 3, counts: TINY });
    assert.ok(!truth.startsWith(`${dir}/`));
    assert.deepEqual((await readdir(dir)).sort(), ['images', 'labels', 'manifest.jsonl']);
    const text = await readFile(manifest, 'utf8');
    assert.ok(!/wrong|planted|spoil/.test(text));
    const rows = text
      .trim()
      .split('\n')
      .map((line): { image: string; label: string; split: string } => JSON.parse(line));
    assert.equal(rows.length, 54);
    const known = await readTruth(truth);
    assert.equal([...known.values()].filter(({ wrong }) => wrong).length, 6);
    const plan = planPool(3, TINY);
    for (const [index, { spec }] of plan.entries()) {
      const row = rows[index];
      const label = await decodeLabel(await readFile(join(dir, row?.label ?? '')), row?.label ?? '');
      const clean = Buffer.compare(Buffer.from(label.pixels), Buffer.from(renderMask(spec, 128).pixels)) === 0;
      assert.equal(clean, known.get(row?.image ?? '')?.wrong === false, row?.image);
      if (row?.split !== 'train') assert.ok(clean);
    }
  });

  it('is the same for the same seed', async () => {
    const counts = { train: 8, val: 1, test: 2, interior: 1 };
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    for (const dir of [first, second]) await generateDemo({ dir, seed: 5, counts });
    for (const part of ['images', 'labels']) {
      for (const name of await readdir(join(first, part)))
        assert.deepEqual(await readFile(join(first, part, name)), await readFile(join(second, part, name)));
    }
    assert.equal(await readFile(`${first}.truth.jsonl`, 'utf8'), await readFile(`${second}.truth.jsonl`, 'utf8'));
  });
});
