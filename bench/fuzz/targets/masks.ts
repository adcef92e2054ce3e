import { join } from 'node:path';
import { encode } from 'fast-png';
import { readMaskManifest } from '../../../formats/masks/import.js';
import { mutateBytes, mutateText } from '../mutateBytes.js';
import { mutateJson } from '../mutateJson.js';
import { mutateJpeg, mutatePng } from '../mutatePicture.js';
import type { Choices } from '../source.js';
import type { Target } from '../target.js';
import { IMAGES, importTarget, nameOf, pictures, SIZE, type Spoiled, VICTIM } from './imports.js';

const lineOf = (number: number) => ({
  image: `images/${nameOf(number)}`,
  label: `labels/${number}.png`,
  tags: { angle: 15 * number, vehicle: 'sedan', zoomed: number === VICTIM },
  vehicleId: `car-${number}`,
  source: 'client',
});

const PALETTE = [
  [0, 0, 0],
  [128, 0, 0],
  [0, 128, 0],
  [128, 128, 0],
];

function maskOf(number: number): Uint8Array {
  const data = Uint8Array.from({ length: SIZE.width * SIZE.height }, (_, pixel) =>
    pixel % SIZE.width < 4 + number ? 1 + (number % 3) : 0,
  );
  const palette = number % 2 === 1 ? { palette: PALETTE } : {};
  return encode({ ...SIZE, data, channels: 1, depth: 8, ...palette });
}

const manifestOf = (lines: readonly unknown[]): string => `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
const lines = (images: number): unknown[] => Array.from({ length: images }, (_, number) => lineOf(number));

async function spoil(choices: Choices): Promise<Spoiled> {
  const manifest = (text: string): Map<string, string> => new Map([['manifest.jsonl', text]]);
  switch (choices.below(7)) {
    case 0:
      return {
        files: manifest(manifestOf(lines(IMAGES).with(VICTIM, mutateJson(lineOf(VICTIM), choices)))),
        alone: true,
      };
    case 1:
      return {
        files: manifest(manifestOf(lines(VICTIM)) + mutateText(JSON.stringify(lineOf(VICTIM)), choices)),
        alone: true,
      };
    case 2: {
      const bytes = mutateJpeg((await pictures())[VICTIM] as Buffer, choices);
      return { files: new Map([[`images/${nameOf(VICTIM)}`, bytes]]), alone: true };
    }
    case 3:
      return { files: manifest(mutateText(manifestOf(lines(IMAGES)), choices)), alone: false };
    case 4:
      return {
        files: new Map([['manifest.jsonl', mutateBytes(Buffer.from(manifestOf(lines(IMAGES))), choices)]]),
        alone: false,
      };
    default:
      return { files: new Map([[`labels/${VICTIM}.png`, mutatePng(maskOf(VICTIM), choices)]]), alone: true };
  }
}

export const masksImport: Target = importTarget({
  name: 'import-masks',
  share: 45,
  files: async (images) =>
    new Map<string, string | Uint8Array>([
      ['manifest.jsonl', manifestOf(lines(images))],
      ...(await pictures()).map((bytes, number) => [`images/${nameOf(number)}`, bytes] as const),
      ...Array.from({ length: IMAGES }, (_, number) => [`labels/${number}.png`, maskOf(number)] as const),
    ]),
  read: (folder) => readMaskManifest({ manifest: join(folder, 'manifest.jsonl') }),
  spoil,
});
