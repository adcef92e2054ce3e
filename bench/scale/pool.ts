import { createHash } from 'node:crypto';
import { render, renderMask } from '../../demo/car/render.js';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { openPool } from '../../storage/pool/pool.js';
import { plannedCars, TEMPLATES, type Template, templateOf } from './templates.js';

export const POOL = 'scale';
const SIDE = 256;
const PICTURES_PER_VEHICLE = 3;
/** Rows of a segment, about as many as an import of a quarter adds. */
const SEGMENT = 57_700;
/** Test and validation images beside the training images, as shares of their number. */
const TEST_SHARE = 0.01;
const VAL_SHARE = 0.005;
const FEWEST_MEASURED = 60;

/** Keys of a picture and of its label, which many images share. */
interface SharedPicture {
  image: string;
  label: string;
}

/**
 * A pool of `train` training images, with test and validation images beside them. Only `TEMPLATES` pictures exist:
 * images share them, so that each HEAD of a draw finds an object.
 */
export async function makePool(
  store: ObjectStore,
  train: number,
  templates: readonly Template[],
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const pictures = await putPictures(store);
  await store.putIfAbsent(keys.taxonomy(POOL), JSON.stringify(carParts34), 'application/json');
  const pool = await openPool(store, POOL);
  const measured = (share: number): number => Math.max(FEWEST_MEASURED, Math.round(share * train));
  const [test, val] = [measured(TEST_SHARE), measured(VAL_SHARE)];
  const total = train + test + val;
  const splitOf = (number: number): IndexRow['split'] =>
    number < train ? 'train' : number < train + test ? 'test' : 'val';
  for (let from = 0; from < total; from += SEGMENT) {
    const count = Math.min(SEGMENT, total - from);
    await pool.append(() =>
      Array.from({ length: count }, (_, at) => rowOf(from + at, splitOf(from + at), templates, pictures)),
    );
    onProgress(from + count, total);
  }
}

async function putPictures(store: ObjectStore): Promise<SharedPicture[]> {
  const pictures: SharedPicture[] = [];
  for (const { spec } of plannedCars().slice(0, TEMPLATES)) {
    const { jpeg } = await render(spec, SIDE);
    const png = await encodeLabel(renderMask(spec, SIDE).pixels, SIDE, SIDE);
    const picture = { image: keys.image(POOL, sha256(jpeg)), label: keys.label(POOL, sha256(png)) };
    await store.put(picture.image, jpeg, 'image/jpeg');
    await store.put(picture.label, png, 'image/png');
    pictures.push(picture);
  }
  return pictures;
}

/** Three pictures a vehicle, which is on one side of the split. */
function rowOf(
  number: number,
  split: IndexRow['split'],
  templates: readonly Template[],
  pictures: readonly SharedPicture[],
): IndexRow {
  const imageId = sha256(`image ${number}`);
  const index = templateOf(imageId);
  const { tags, classes } = templates[index] as Template;
  const { image, label } = pictures[index] as SharedPicture;
  return indexRowSchema.parse({
    imageId,
    fileName: `client-${number % 97}/${number}.jpg`,
    imageUri: image,
    imageEtag: null,
    imageVersion: null,
    labelUri: label,
    labelSha256: sha256(`label ${number}`),
    width: SIDE,
    height: SIDE,
    ...tags,
    tagOrigins: JSON.stringify({ angle: 'given', vehicle: 'given' }),
    vehicleId: `${split}-${Math.floor(number / PICTURES_PER_VEHICLE)}`,
    source: 'client',
    split,
    perceptualHash: sha256(`hash ${number}`).slice(0, 16),
    classes,
    labelRevision: 0,
    ingestedAt: '2026-01-01T00:00:00.000Z',
  });
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
