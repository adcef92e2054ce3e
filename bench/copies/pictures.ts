import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { render } from '../../demo/car/render.js';
import { planPool } from '../../demo/plan.js';
import { inspectPicture, type PictureFacts } from '../../pool/import/picture.js';
import { forEachLimited } from '../../storage/parallel.js';

export const SIZES = [96, 128, 256, 512] as const;
const IN_PARALLEL = 4;
/** Quality of the originals. */
const ORIGINAL = 92;

/** How a picture is saved again; the last two cut off so much on each side. */
export const CHANGES: Record<string, (picture: Buffer) => Promise<Buffer>> = {
  'JPEG quality 80': (picture) => sharp(picture).jpeg({ quality: 80 }).toBuffer(),
  'JPEG quality 60': (picture) => sharp(picture).jpeg({ quality: 60 }).toBuffer(),
  'JPEG quality 40': (picture) => sharp(picture).jpeg({ quality: 40 }).toBuffer(),
  'half the size': async (picture) => {
    const { width, height } = await sharp(picture).metadata();
    const half = { width: Math.round(width / 2), height: Math.round(height / 2) };
    return sharp(picture)
      .resize({ ...half, fit: 'fill' })
      .jpeg({ quality: 85 })
      .toBuffer();
  },
  WebP: (picture) => sharp(picture).webp({ quality: 75 }).toBuffer(),
  '5 % brighter': (picture) => sharp(picture).modulate({ brightness: 1.05 }).jpeg({ quality: 85 }).toBuffer(),
  '5 % darker': (picture) => sharp(picture).modulate({ brightness: 0.95 }).jpeg({ quality: 85 }).toBuffer(),
  '1 % cut off': (picture) => cut(picture, 0.01),
  '2 % cut off': (picture) => cut(picture, 0.02),
};
export const isCut = (change: string): boolean => change.endsWith('cut off');

async function cut(picture: Buffer, share: number): Promise<Buffer> {
  const { width, height } = await sharp(picture).metadata();
  const [left, top] = [Math.round(width * share), Math.round(height * share)];
  const kept = { left, top, width: width - 2 * left, height: height - 2 * top };
  return sharp(picture).extract(kept).jpeg({ quality: 85 }).toBuffer();
}

export type Look = Pick<PictureFacts, 'perceptualHash' | 'thumbnail'>;

/** A picture at one size, with its copies by their change. */
export interface Original extends Look {
  set: 'photos' | 'cars';
  name: string;
  /** Pictures of one vehicle have one; null for a photo, whose vehicle nobody knows. */
  vehicle: string | null;
  size: number;
  /** Limits are chosen on half 0, figures are of half 1. */
  half: number;
  copies: Record<string, Look>;
}

interface Source extends Pick<Original, 'set' | 'name' | 'vehicle' | 'half'> {
  at(size: number): Promise<Buffer>;
}

/**
 * All originals at all sizes.
 *
 * @param photos folder of DSMLR's training set, beside which its test set is
 * @param share of the photos and cars
 */
export async function originals(
  photos: string,
  share: number,
  onProgress: (done: number, total: number) => void,
): Promise<Original[]> {
  const sources = [...(await photosIn(photos)), ...cars()].filter(
    (_, index) => Math.floor(index / 2) % (1 / share) < 1,
  );
  const jobs = sources.flatMap((source) => SIZES.map((size) => ({ source, size })));
  const found: Original[] = [];
  let done = 0;
  await forEachLimited(jobs, IN_PARALLEL, async ({ source: { at, ...source }, size }, index) => {
    const picture = await at(size);
    const copies: Original['copies'] = {};
    for (const [change, save] of Object.entries(CHANGES)) copies[change] = await inspectPicture(await save(picture));
    found[index] = { ...source, size, copies, ...(await inspectPicture(picture)) };
    onProgress(++done, jobs.length);
  });
  return found;
}

async function photosIn(trainingSet: string): Promise<Source[]> {
  const found: Source[] = [];
  for (const set of ['trainingset', 'testset']) {
    const folder = join(dirname(trainingSet), set, 'JPEGImages');
    for (const name of (await readdir(folder)).sort()) {
      const at = async (size: number): Promise<Buffer> =>
        sharp(await readFile(join(folder, name)))
          .autoOrient()
          .resize(size, size, { fit: 'inside' })
          .jpeg({ quality: ORIGINAL })
          .toBuffer();
      found.push({ set: 'photos', name: `${set}/${name}`, vehicle: null, half: found.length % 2, at });
    }
  }
  return found;
}

/** Cars of 25 scenes in three slightly different views each, and cars that are there once or twice. */
function cars(): Source[] {
  const plan = planPool(7, { train: 125, val: 0, test: 100, interior: 0 });
  const halves = new Map<string, number>();
  return plan.map(({ name, spec }) => {
    const half = halves.get(spec.vehicleId) ?? halves.size % 2;
    halves.set(spec.vehicleId, half);
    return { set: 'cars', name, vehicle: spec.vehicleId, half, at: async (size) => (await render(spec, size)).jpeg };
  });
}
