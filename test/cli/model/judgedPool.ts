import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { IndexRow } from '../../../domain/tables.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { encodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import { indexRow } from '../../domain/sample/rows.js';
import { emptyPool } from './models.js';

const WIDTH = 32;
const HEIGHT = 24;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A picture whose left half is red, which a seer takes for class 1; its label may say another class. */
export interface Picture {
  fileName: string;
  split: IndexRow['split'];
  label?: number;
  vehicleId?: string;
  perceptualHash?: string;
}

/** A pool of such pictures. */
export async function judgedPool(
  store: ObjectStore,
  pictures: readonly Picture[],
): Promise<(fileName: string) => IndexRow> {
  await emptyPool(store, 'cars');
  const rows: IndexRow[] = [];
  for (const [n, { label = 1, ...fields }] of pictures.entries()) {
    const isLeft = (pixel: number): boolean => pixel % WIDTH < WIDTH / 2;
    const rgb = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) =>
      at % 3 === 0 && isLeft(Math.floor(at / 3)) ? 250 : n,
    );
    const image = await sharp(rgb, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .png()
      .toBuffer();
    const values = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, at) => (isLeft(at) ? label : 0));
    const mask = await encodeLabel(values, WIDTH, HEIGHT);
    const row = indexRow(n, {
      ...{ imageId: sha(image), imageUri: keys.image('cars', sha(image)), width: WIDTH, height: HEIGHT },
      ...{ labelSha256: sha(mask), labelUri: keys.label('cars', sha(mask)), classes: [label], black: n % 2 === 0 },
      ...fields,
    });
    await store.put(row.imageUri, image);
    await store.put(row.labelUri, mask);
    rows.push(row);
  }
  await (await openPool(store, 'cars')).append(() => rows);
  const byName = new Map(rows.map((row) => [row.fileName, row]));
  return (fileName) => {
    const row = byName.get(fileName);
    if (row === undefined) throw new Error(`no picture ${fileName}`);
    return row;
  };
}
