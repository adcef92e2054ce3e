import { seededRandom } from '../../domain/base/random.js';
import type { Tags } from '../../domain/tags.js';

export type VehicleType = NonNullable<Tags['vehicle']>;

/** Proportions of one car in metres; x runs from `front` to `-front`. */
export interface Shape {
  type: VehicleType;
  length: number;
  width: number;
  height: number;
  /** Bottom of the bumpers, top of the bumpers, the sill under the doors. */
  bottom: number;
  bumper: number;
  sill: number;
  /** Height of the nose, of the belt line under the windows, of the trunk's end. */
  nose: number;
  belt: number;
  deck: number;
  /** Where along x: base of windshield, front and rear edge of the roof, base of the rear window. */
  cowl: number;
  roofFront: number;
  roofRear: number;
  rearBase: number;
  /** Door edges along x: front of the front door, between the doors, rear of the rear door. */
  door1: number;
  door2: number;
  door3: number;
  wheelFront: number;
  wheelRear: number;
  wheelRadius: number;
  /** How far the cabin leans inwards at the roof, on each side. */
  tumble: number;
}

type Recipe = Omit<Shape, 'type' | 'bumper' | 'sill'>;

/** Fractions of `length` along x are measured from the middle. */
const RECIPES: Record<VehicleType, Recipe> = {
  sedan: {
    length: 4.6,
    width: 1.82,
    height: 1.46,
    bottom: 0.24,
    nose: 0.8,
    belt: 0.96,
    deck: 0.98,
    cowl: 0.23,
    roofFront: 0.08,
    roofRear: -0.2,
    rearBase: -0.34,
    door1: 0.18,
    door2: -0.04,
    door3: -0.24,
    wheelFront: 0.31,
    wheelRear: -0.3,
    wheelRadius: 0.36,
    tumble: 0.2,
  },
  hatchback: {
    length: 3.95,
    width: 1.76,
    height: 1.54,
    bottom: 0.24,
    nose: 0.84,
    belt: 1.0,
    deck: 1.0,
    cowl: 0.25,
    roofFront: 0.1,
    roofRear: -0.38,
    rearBase: -0.485,
    door1: 0.2,
    door2: -0.05,
    door3: -0.27,
    wheelFront: 0.315,
    wheelRear: -0.315,
    wheelRadius: 0.36,
    tumble: 0.17,
  },
  suv: {
    length: 4.5,
    width: 1.9,
    height: 1.78,
    bottom: 0.32,
    nose: 1.02,
    belt: 1.16,
    deck: 1.16,
    cowl: 0.22,
    roofFront: 0.1,
    roofRear: -0.42,
    rearBase: -0.49,
    door1: 0.19,
    door2: -0.04,
    door3: -0.25,
    wheelFront: 0.315,
    wheelRear: -0.3,
    wheelRadius: 0.42,
    tumble: 0.15,
  },
  jeep: {
    length: 4.0,
    width: 1.84,
    height: 1.88,
    bottom: 0.4,
    nose: 1.12,
    belt: 1.2,
    deck: 1.2,
    cowl: 0.17,
    roofFront: 0.13,
    roofRear: -0.485,
    rearBase: -0.498,
    door1: 0.155,
    door2: -0.07,
    door3: -0.28,
    wheelFront: 0.32,
    wheelRear: -0.31,
    wheelRadius: 0.46,
    tumble: 0.06,
  },
  truck: {
    length: 5.2,
    width: 1.92,
    height: 1.86,
    bottom: 0.38,
    nose: 1.1,
    belt: 1.2,
    deck: 1.2,
    cowl: 0.24,
    roofFront: 0.15,
    roofRear: -0.08,
    rearBase: -0.13,
    door1: 0.21,
    door2: 0.05,
    door3: -0.12,
    wheelFront: 0.335,
    wheelRear: -0.29,
    wheelRadius: 0.45,
    tumble: 0.15,
  },
  van: {
    length: 4.8,
    width: 1.92,
    height: 2.06,
    bottom: 0.28,
    nose: 1.06,
    belt: 1.24,
    deck: 1.24,
    cowl: 0.37,
    roofFront: 0.24,
    roofRear: -0.47,
    rearBase: -0.498,
    door1: 0.25,
    door2: 0.03,
    door3: -0.26,
    wheelFront: 0.34,
    wheelRear: -0.31,
    wheelRadius: 0.38,
    tumble: 0.1,
  },
};

/** The shape of one car of a type: its own to a few percent. Sizes in metres. */
export function shapeOf(type: VehicleType, seed: string): Shape {
  const random = seededRandom(seed, 'shape');
  const vary = (value: number, share: number): number => value * (1 + (random() * 2 - 1) * share);
  const recipe = RECIPES[type];
  const length = vary(recipe.length, 0.04);
  const tall = 1 + (random() * 2 - 1) * 0.04;
  const along = (share: number): number => share * length;
  const bottom = recipe.bottom * tall;
  return {
    type,
    length,
    width: vary(recipe.width, 0.02),
    height: recipe.height * tall,
    bottom,
    bumper: bottom + vary(0.36, 0.08),
    sill: bottom + 0.06,
    nose: recipe.nose * tall,
    belt: recipe.belt * tall,
    deck: recipe.deck * tall,
    cowl: along(recipe.cowl),
    roofFront: along(recipe.roofFront),
    roofRear: along(recipe.roofRear),
    rearBase: along(recipe.rearBase),
    door1: along(recipe.door1),
    door2: along(recipe.door2),
    door3: along(recipe.door3),
    wheelFront: along(recipe.wheelFront),
    wheelRear: along(recipe.wheelRear),
    wheelRadius: vary(recipe.wheelRadius, 0.03),
    tumble: recipe.tumble,
  };
}
