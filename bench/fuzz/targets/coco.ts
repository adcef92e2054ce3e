import { join } from 'node:path';
import { readCoco } from '../../../formats/coco/import.js';
import { TAXONOMY } from '../../../test/support/pictures/pictures.js';
import { mutateText } from '../mutateBytes.js';
import { mutateJson } from '../mutateJson.js';
import { mutateJpeg } from '../mutatePicture.js';
import type { Choices } from '../source.js';
import type { Target } from '../target.js';
import { IMAGES, importTarget, nameOf, pictures, SIZE, type Spoiled, VICTIM } from './imports.js';

const box = (x0: number, y0: number, x1: number, y1: number): number[] => [x0, y0, x1, y0, x1, y1, x0, y1];

const image = (number: number) => ({ id: number + 1, file_name: nameOf(number), ...SIZE });

/** Polygons, plain run lengths and COCO's text form; the last picture has one of each. */
function annotationsOf(number: number): Record<string, unknown>[] {
  const own = (segmentation: unknown, category_id: number) => ({ image_id: number + 1, category_id, segmentation });
  const all = [
    own([box(number, 1, number + 6, 7), box(15, 9, 20, 12)], 1),
    own({ size: [SIZE.height, SIZE.width], counts: [20, 5, SIZE.width * SIZE.height - 25] }, 2),
    own({ size: [SIZE.height, SIZE.width], counts: compressed([100, 40, 244]) }, 3),
  ];
  return all.map((annotation, at) => ({ id: 10 * number + at, ...annotation }));
}

/** COCO's text form, after `rleToString` of its reference implementation, for runs that need no differences. */
function compressed(runs: readonly number[]): string {
  return runs
    .map((run) => {
      let text = '';
      for (let rest = run, more = true; more; rest >>= 5) {
        const bits = rest & 31;
        more = !((rest >> 5 === 0 && (bits & 16) === 0) || (rest >> 5 === -1 && (bits & 16) !== 0));
        text += String.fromCharCode((more ? bits | 32 : bits) + 48);
      }
      return text;
    })
    .join('');
}

const fileOf = (images: number) => ({
  images: Array.from({ length: images }, (_, number) => image(number)),
  categories: [
    { id: 1, name: 'hood' },
    { id: 2, name: 'wheel' },
    { id: 3, name: 'mirror' },
  ],
  annotations: Array.from({ length: images }, (_, number) => annotationsOf(number)).flat(),
});

async function spoil(choices: Choices): Promise<Spoiled> {
  const file = fileOf(IMAGES);
  const json = (value: unknown): Map<string, string> =>
    new Map([['annotations.json', JSON.stringify(value) ?? 'undefined']]);
  switch (choices.below(6)) {
    case 0:
    case 1: {
      const at = file.annotations.length - 1 - choices.below(3);
      const bad = mutateJson(file.annotations[at], choices);
      // An annotation that names another picture spoils that one.
      const kept =
        typeof bad === 'object' && bad !== null && !Array.isArray(bad) ? { ...bad, image_id: VICTIM + 1 } : bad;
      return { files: json({ ...file, annotations: file.annotations.with(at, kept as never) }), alone: true };
    }
    case 2: {
      const bad = mutateJson(image(VICTIM), choices);
      const kept = typeof bad === 'object' && bad !== null && !Array.isArray(bad) ? { ...bad, id: VICTIM + 1 } : bad;
      return { files: json({ ...file, images: file.images.with(VICTIM, kept as never) }), alone: true };
    }
    case 3: {
      const bytes = mutateJpeg((await pictures())[VICTIM] as Buffer, choices);
      return { files: new Map([[`images/${nameOf(VICTIM)}`, bytes]]), alone: true };
    }
    case 4:
      return { files: json(mutateJson(file, choices)), alone: false };
    default:
      return { files: new Map([['annotations.json', mutateText(JSON.stringify(file), choices)]]), alone: false };
  }
}

export const cocoImport: Target = importTarget({
  name: 'import-coco',
  share: 45,
  files: async (images) =>
    new Map<string, string | Uint8Array>([
      ['annotations.json', JSON.stringify(fileOf(images))],
      ...(await pictures()).map((bytes, number) => [`images/${nameOf(number)}`, bytes] as const),
    ]),
  read: (folder) =>
    readCoco({
      place: join(folder, 'images'),
      annotations: join(folder, 'annotations.json'),
      taxonomy: TAXONOMY,
      followLinks: false,
    }),
  spoil,
});
