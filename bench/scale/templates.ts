import { readFile, writeFile } from 'node:fs/promises';
import { renderMask } from '../../demo/car/render.js';
import { planPool } from '../../demo/plan.js';
import { seededRandom } from '../../domain/base/random.js';
import { countBoundary } from '../../domain/evaluate/boundary.js';
import { ClassSums, classLabels, countConfusion } from '../../domain/evaluate/confusion.js';
import { analyseWithInjection, type ImageAnalysis } from '../../domain/scan/index.js';
import type { Tags } from '../../domain/tags.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';

/** Environment variable with the path of the templates, for workers. */
export const TEMPLATES_VARIABLE = 'BENCH_SCALE_TEMPLATES';
/** Different cars; every image is one of them. */
export const TEMPLATES = 96;
/** Side in pixels of the grid on which a network of 512 pixels compares labels. */
const GRID = 128;
/** Every twelfth label is wrong: 8 %. */
const WRONG_EVERY = 12;
const SEED = 1;
/** Pixels of the prediction that are another class than the truth, one part of a picture in this share of pictures. */
const MISTAKEN_SHARE = 0.5;

/** What the stand-ins say of an image, made by the real analysis from a rendered car and a spoiled prediction. */
export interface Template {
  tags: Tags;
  /** Label values present, ascending, background left out. */
  classes: number[];
  analysis: ImageAnalysis;
  confusion: number[];
  boundary: number[];
  imageMiou: number;
}

/** The planned cars behind the templates. */
export const plannedCars = () => planPool(SEED, { train: TEMPLATES, val: 0, test: 0, interior: 0 });

/** The template of an image, by its id; the wrong ones are as frequent as among the templates. */
export const templateOf = (imageId: string): number => Number.parseInt(imageId.slice(0, 8), 16) % TEMPLATES;

/** Analyse every car once, as a scan does, and write what came out of it. */
export async function writeTemplates(path: string): Promise<Template[]> {
  const templates = plannedCars()
    .slice(0, TEMPLATES)
    .map(({ spec }, index): Template => {
      const random = seededRandom('scale', index);
      const truth = renderMask(spec, GRID).pixels;
      const label = index % WRONG_EVERY === 0 ? withoutPart(truth, random) : truth;
      const { mask, pMask } = predictionOf(truth, random);
      const pLabel = pMask.map((p, pixel) => (label[pixel] === mask[pixel] ? p : Math.round((255 - p) / 4)));
      const input = { size: GRID, validWidth: GRID, validHeight: GRID, label, mask, pMask, pLabel };
      const analysis = analyseWithInjection(input, carParts34, spec.tags, random);
      const confusion = countConfusion(truth, mask);
      const labels = classLabels(carParts34.classes.length);
      return {
        tags: spec.tags,
        classes: presentIn(label),
        analysis,
        confusion,
        boundary: countBoundary(truth, mask, GRID, GRID, labels.length),
        imageMiou: new ClassSums().add(confusion).miouOfPresent(labels),
      };
    });
  await writeFile(path, JSON.stringify(templates));
  return templates;
}

let read: Promise<Template[]> | undefined;

/** The templates that the bench wrote, in a worker. */
export function readTemplates(): Promise<Template[]> {
  read ??= readFile(process.env[TEMPLATES_VARIABLE] ?? '', 'utf8').then((text): Template[] => JSON.parse(text));
  return read;
}

const presentIn = (label: Uint8Array): number[] =>
  [...new Set(label)].filter((value) => value !== 0).sort((a, b) => a - b);

function withoutPart(label: Uint8Array, random: () => number): Uint8Array {
  const present = presentIn(label);
  const gone = present[Math.floor(random() * present.length)];
  return label.map((value) => (value === gone ? 0 : value));
}

/** A prediction a pixel off at most, in half of the pictures with one part partly taken for another. */
function predictionOf(truth: Uint8Array, random: () => number): { mask: Uint8Array; pMask: Uint8Array } {
  const shift = random() < 0.5 ? 1 : 0;
  const mask = truth.map((_, pixel) => truth[pixel - shift] ?? 0);
  const pMask = new Uint8Array(truth.length).fill(200 + Math.floor(50 * random()));
  if (random() >= MISTAKEN_SHARE) return { mask, pMask };
  const present = presentIn(truth);
  const from = present[Math.floor(random() * present.length)];
  const to = random() < 0.6 ? 0 : (present[Math.floor(random() * present.length)] ?? 0);
  const members = [...mask.keys()].filter((pixel) => mask[pixel] === from);
  for (const pixel of members.slice(0, Math.floor((0.3 + 0.7 * random()) * members.length))) {
    mask[pixel] = to;
    pMask[pixel] = 120;
  }
  return { mask, pMask };
}
