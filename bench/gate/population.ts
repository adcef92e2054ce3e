import { seededRandom } from '../../domain/base/random.js';
import type { EvaluationRow } from '../../domain/tables.js';
import { NO_TAGS } from '../../domain/tags.js';
import { parseTaxonomy } from '../../domain/taxonomy.js';

export const TAXONOMY = parseTaxonomy(
  {
    name: 'gate-bench',
    classes: [
      { name: 'hood', group: 'major' },
      { name: 'left_door', group: 'major', mirror: 'right_door' },
      { name: 'right_door', group: 'major', mirror: 'left_door' },
      { name: 'bumper', group: 'major' },
      { name: 'mirror', group: 'minor' },
      { name: 'light', group: 'minor' },
    ],
  },
  'of the gate benchmark',
);

/** Mean share of a part's pixels that a model finds. */
const LEVEL = 0.75;
/** Standard deviations: of an image's difficulty, which models share, and of a model's own luck with a part. */
const DIFFICULTY = 0.1;
const LUCK = 0.1;
const SHOWN = { major: 0.8, minor: 0.5 } as const;
const PIXELS = { major: 800, minor: 80 } as const;
/** Share of the images that are tagged as zoomed. */
export const ZOOMED = 0.2;

/** What a made-up model is worth. */
export interface Model {
  /** Two models of one seed have the same luck. */
  seed: string;
  /** Added to the share of every part that it finds, on average over all images there could be. */
  gain: number;
  /** It never finds this class. */
  lostClass?: number;
  /** Added on zoomed images alone. */
  zoomedGain?: number;
  /** It calls left parts right ones and the other way round. */
  mirrors?: boolean;
}

/** Evaluations of a model on the first `units` images of a test set, one vehicle each. */
export function evaluationsOf(model: Model, testSet: string, units: number): EvaluationRow[] {
  const scene = seededRandom('test set', testSet);
  const luck = seededRandom('model', model.seed, testSet);
  return Array.from({ length: units }, (_, n): EvaluationRow => {
    const zoomed = scene() < ZOOMED;
    const difficulty = DIFFICULTY * normal(scene);
    const confusion: number[] = [];
    const boundary: number[] = [];
    for (const [index, { group }] of TAXONOMY.classes.entries()) {
      const isShown = scene() < SHOWN[group];
      const pixels = Math.round(PIXELS[group] * (0.5 + scene()));
      const own = LUCK * normal(luck);
      if (!isShown) continue;
      const label = index + 1;
      const gain = model.gain + (zoomed ? (model.zoomedGain ?? 0) : 0);
      const level = model.lostClass === label ? 0 : LEVEL + difficulty + own + gain;
      const found = Math.round(pixels * Math.min(1, Math.max(0, level)));
      confusion.push(...pairs(label, model.mirrors ? mirrorOf(label) : label, found, pixels));
      boundary.push(label, Math.round(found / 5), Math.round(pixels / 5));
    }
    return {
      ...NO_TAGS,
      imageId: n.toString(16).padStart(64, '0'),
      fileName: `${n}.jpg`,
      vehicleId: `v${n}`,
      zoomed,
      confusion,
      boundary,
      imageMiou: LEVEL,
      calibration: null,
    };
  });
}

function pairs(label: number, called: number, found: number, pixels: number): number[] {
  return [...(found > 0 ? [label, called, found] : []), ...(found < pixels ? [label, 0, pixels - found] : [])];
}

function mirrorOf(label: number): number {
  const { name, mirror } = TAXONOMY.classes[label - 1] ?? {};
  const other = TAXONOMY.classes.findIndex((one) => one.name === mirror);
  return name === undefined || other < 0 ? label : other + 1;
}

/** A standard normal number (Box and Muller 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
