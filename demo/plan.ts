import { seededRandom, shuffle } from '../domain/base/random.js';
import { ANGLES, DAMAGES, type Tags, VEHICLES } from '../domain/tags.js';
import { type Jitter, MAX_JITTER_DEGREES, MAX_JITTER_PX, NO_JITTER, type SceneSpec } from './car/scene.js';
import type { VehicleType } from './car/vehicles.js';
import type { DemoCounts } from './settings.js';

export interface PlannedImage {
  name: string;
  split: 'train' | 'val' | 'test';
  source: 'in-house' | 'client';
  spec: SceneSpec;
}

type Angle = NonNullable<Tags['angle']>;
type Orientation = NonNullable<Tags['orientation']>;
type Rates = { black: number; reflection: number; zoomed: number; damaged: number };

/** Most of a real pool: the same few views of the same few kinds of car. */
const COMMON_VIEWS: readonly { vehicle: VehicleType; angle: Angle; orientation: Orientation }[] = [
  { vehicle: 'sedan', angle: 0, orientation: 'none' },
  { vehicle: 'hatchback', angle: 180, orientation: 'none' },
  { vehicle: 'sedan', angle: 90, orientation: 'left' },
  { vehicle: 'hatchback', angle: 45, orientation: 'left' },
  { vehicle: 'suv', angle: 90, orientation: 'right' },
];
const COMMON_SHARE = 0.6;
const SCENES_PER_VIEW = 5;

const RARE_VEHICLES: readonly (readonly [VehicleType, number])[] = [
  ['sedan', 0.24],
  ['hatchback', 0.24],
  ['suv', 0.2],
  ['truck', 0.12],
  ['van', 0.1],
  ['jeep', 0.1],
];
const COMMON_RATES: Rates = { black: 0.04, reflection: 0.04, zoomed: 0, damaged: 0.15 };
const RARE_RATES: Rates = { black: 0.14, reflection: 0.14, zoomed: 0.14, damaged: 0.4 };
const TEST_RATES: Rates = { black: 0.3, reflection: 0.3, zoomed: 0.25, damaged: 0.75 };

/**
 * Every exterior picture of the pool: a skewed train part, a small val part and a balanced test part; no vehicle is in
 * two.
 */
export function planPool(seed: number, counts: DemoCounts): PlannedImage[] {
  const common = Math.round(counts.train * COMMON_SHARE);
  const random = seededRandom('demo', seed, 'order');
  const train = shuffle(
    [...commonViews(seed, common), ...variedViews(seed, counts.train - common, 'train', 2)],
    random,
  );
  return [...train, ...variedViews(seed, counts.val, 'val', 1), ...balancedViews(seed, counts.test)].map(
    (image, index) => ({
      ...image,
      name: `${image.split}-${String(index).padStart(4, '0')}`,
    }),
  );
}

function commonViews(seed: number, count: number): PlannedImage[] {
  const random = seededRandom('demo', seed, 'common');
  const scenes = COMMON_VIEWS.flatMap((view) =>
    Array.from({ length: SCENES_PER_VIEW }, (_, scene) => ({
      view,
      key: `demo-${seed}-common-${view.vehicle}-${view.angle}-${scene}`,
      tags: tagsOf(view, COMMON_RATES, random),
    })),
  );
  return Array.from({ length: count }, (_, index): PlannedImage => {
    const scene = scenes[index % scenes.length] as (typeof scenes)[number];
    const jitter = index < scenes.length ? NO_JITTER : jitterOf(random);
    return planned('train', {
      vehicleId: `${scene.key}-car`,
      vehicle: scene.view.vehicle,
      sceneSeed: scene.key,
      noise: `${scene.key}-${index}`,
      jitter,
      tags: scene.tags,
    });
  });
}

function jitterOf(random: () => number): Jitter {
  const around = (limit: number): number => (random() * 2 - 1) * limit;
  return { yaw: around(MAX_JITTER_DEGREES), dx: around(MAX_JITTER_PX), dy: around(MAX_JITTER_PX) };
}

/** Cars of all kinds from all sides, `perVehicle` pictures of each, each a separate scene. */
function variedViews(seed: number, count: number, split: 'train' | 'val', perVehicle: number): PlannedImage[] {
  const random = seededRandom('demo', seed, 'varied', split);
  return Array.from({ length: count }, (_, index): PlannedImage => {
    const car = `demo-${seed}-${split}-car-${Math.floor(index / perVehicle)}`;
    const vehicle = weighted(RARE_VEHICLES, seededRandom(car, 'vehicle')());
    const angle = ANGLES[Math.floor(random() * ANGLES.length)] ?? 90;
    const tags = tagsOf({ vehicle, angle, orientation: orientationAt(angle, random() < 0.5) }, RARE_RATES, random);
    return planned(split, {
      vehicleId: car,
      vehicle,
      sceneSeed: `${car}-${index}`,
      noise: `${car}-${index}`,
      jitter: NO_JITTER,
      tags,
    });
  });
}

/** As many pictures of every vehicle, angle and side; each tag often enough to be measured. */
function balancedViews(seed: number, count: number): PlannedImage[] {
  const random = seededRandom('demo', seed, 'balanced');
  return Array.from({ length: count }, (_, index): PlannedImage => {
    const vehicle = VEHICLES[index % VEHICLES.length] ?? 'sedan';
    const angle = ANGLES[Math.floor(index / VEHICLES.length) % ANGLES.length] ?? 0;
    const orientation = orientationAt(angle, (Math.floor(index / (VEHICLES.length * ANGLES.length)) + index) % 2 === 0);
    const key = `demo-${seed}-test-${index}`;
    return planned('test', {
      vehicleId: `${key}-car`,
      vehicle,
      sceneSeed: key,
      noise: key,
      jitter: NO_JITTER,
      tags: tagsOf({ vehicle, angle, orientation }, TEST_RATES, random),
    });
  });
}

const orientationAt = (angle: Angle, left: boolean): Orientation =>
  angle === 0 || angle === 180 ? 'none' : left ? 'left' : 'right';

function planned(split: PlannedImage['split'], spec: SceneSpec): PlannedImage {
  return { name: '', split, source: spec.vehicleId.endsWith('1') ? 'client' : 'in-house', spec };
}

function tagsOf(
  view: { vehicle: VehicleType; angle: Angle; orientation: Orientation },
  rates: Rates,
  random: () => number,
): SceneSpec['tags'] {
  const chance = (rate: number): boolean => random() < rate;
  const damaged = chance(rates.damaged);
  return {
    ...view,
    black: chance(rates.black),
    reflection: chance(rates.reflection),
    zoomed: chance(rates.zoomed),
    damage: damaged ? (DAMAGES[1 + Math.floor(random() * 3)] ?? 'none') : 'none',
    region: 'exterior',
  };
}

function weighted<T>(choices: readonly (readonly [T, number])[], at: number): T {
  let sum = 0;
  for (const [choice, weight] of choices) {
    sum += weight;
    if (at < sum) return choice;
  }
  const last = choices.at(-1);
  if (last === undefined) throw new Error('nothing to choose from');
  return last[0];
}
