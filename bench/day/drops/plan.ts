import type { Cars } from '../cars.js';
import type { Ledger } from '../ledger.js';
import { type Making, ordinary, type PlannedDrop } from './making.js';
import { SPECIAL } from './special.js';

/** Good images of a drop. */
export const DROP_SIZE = 6;
/** Cars of a drop at most, bad ones included. */
export const MOST_CARS = DROP_SIZE + 4;
/** The first drops are ordinary: others copy them, or ask to remove their images. */
const ORDINARY_FIRST = 2;

export interface DayPlan {
  drops: PlannedDrop[];
  ledger: Ledger;
  /** `policy.newImages`: with so many, the images of the day are enough for its iterations and for no more. */
  newImages: number;
}

/**
 * The drops of a day. Half of them are out of the ordinary, spread over the day; the others alternate between COCO and
 * index masks.
 */
export async function planDay(cars: Cars, drops: number, iterations: number): Promise<DayPlan> {
  const special = SPECIAL.slice(0, Math.floor((drops - ORDINARY_FIRST) / 2));
  const left = [...cars.train];
  const removals: string[] = [];
  const made: PlannedDrop[] = [];
  for (let number = 0; number < drops; number++) {
    const at = (number - ORDINARY_FIRST) / 2;
    const chosen = at >= 0 && Number.isInteger(at) ? special[at] : undefined;
    const making: Making = {
      drop: `d${String(number + 1).padStart(3, '0')}`,
      format: chosen?.format ?? (number % 4 < 2 ? 'coco' : 'masks'),
      ...{ size: DROP_SIZE, test: cars.test, earlier: made },
      next: (count) => {
        if (left.length < count) throw new Error('the day has too few cars');
        return left.splice(0, count);
      },
      removals,
    };
    made.push(await (chosen?.make ?? ordinary)(making));
  }
  const side = (split: 'val' | 'test') =>
    cars[split].map(({ sha256, labelSha256 }) => ({ sha256, labelSha256, split }));
  const taken = made.flatMap(({ sent }) => sent.entries.filter(({ fate }) => fate === 'taken')).length;
  return {
    drops: made,
    newImages: Math.max(1, Math.floor((taken - removals.length) / iterations)),
    ledger: {
      imported: [...side('val'), ...side('test')],
      drops: made.map(({ sent }) => sent),
      ...{ removals, iterations, failing: iterations > 1 ? Math.ceil(iterations / 2) : null },
    },
  };
}
