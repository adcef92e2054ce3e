import sharp from 'sharp';
import type { Car } from '../cars.js';
import { good, labelled, type Make, planned, rejected, simple, whole } from './making.js';
import { asCoco, asMasks, CLASSES, type Shipment } from './parcel.js';

// Drops of which a part must not be taken.

export const brokenPictures: Make = async (making) => {
  const [noPicture, cut] = making.next(2) as [Car, Car];
  const reason = 'not a readable picture';
  return simple(making, 'broken JPEG', [
    rejected(noPicture, reason, { picture: Buffer.from('this is no picture') }),
    ...good(making.next(making.size)),
    rejected(cut, reason, { picture: cut.jpeg.subarray(0, Math.floor(cut.jpeg.length / 2)) }),
  ]);
};

export const otherSize: Make = async (making) => {
  const [car] = making.next(1) as [Car];
  const width = car.size / 2;
  const bad = rejected(car, 'upright picture', { width, pixels: car.pixels.subarray(0, width * width) });
  return simple(making, 'label of another size', [...good(making.next(making.size)), bad]);
};

export const unknownClass: Make = async (making) => {
  const [car] = making.next(1) as [Car];
  const pixels = Uint8Array.from(car.pixels, (value) => (value === 0 ? 200 : value));
  const bad =
    making.format === 'masks'
      ? rejected(car, '200', { pixels })
      : rejected(car, 'flux_capacitor', {
          annotation: { category_id: CLASSES.length + 1, segmentation: [[2, 2, 30, 2, 30, 30]] },
        });
  return simple(making, 'unknown class', [bad, ...good(making.next(making.size))]);
};

export const danglingIds: Make = async (making) => {
  const [car] = making.next(1) as [Car];
  const segmentation = [[2, 2, 30, 2, 30, 30]];
  const bad = rejected(car, 'which the file does not list', { annotation: { category_id: 777, segmentation } });
  const strays = [{ id: 9_000, image_id: 4_711, category_id: 1, segmentation }];
  const labels = asCoco([...good(making.next(making.size)), bad], strays);
  return planned({ ...making, format: 'coco' }, 'dangling ids', labels.entries, [whole(labels)]);
};

export const pathTricks: Make = async (making) => {
  const names = ['../../../pools/day/taxonomy.json', '/etc/hostname', 'images/../../../../inbox/day/d001/_COMPLETE'];
  const tricks = making.next(names.length).map((car, at) => rejected(car, 'does not exist', { name: names[at] ?? '' }));
  const [car] = making.next(1) as [Car];
  const elsewhere = { name: 's3://partloop/pools/day/taxonomy.json' };
  const more = making.format === 'masks' ? [rejected(car, 'must not name pictures elsewhere', elsewhere)] : [];
  return simple(making, 'path tricks', [...tricks, ...good(making.next(making.size)), ...more]);
};

export const testCopies: Make = async (making) => {
  const [same, otherLabel, near, nearToo, view] = making.test as [Car, Car, Car, Car, Car];
  const [ofVehicle] = making.next(1) as [Car];
  const renamed = (car: Car, name: string): Car => ({ ...car, name: `${making.drop}-${name}`, vehicleId: making.drop });
  const leak = (car: Car, reason: string, more: Partial<Shipment> = {}): Shipment => ({
    car,
    fate: 'leak',
    reason,
    ...more,
  });
  const copy = 'copy of a test image';
  const shipments: Shipment[] = [
    leak({ ...same, name: `${making.drop}-same` }, 'test'),
    leak(renamed(otherLabel, 'relabelled'), "pool's test split", {
      pixels: new Uint8Array(same.pixels.length).fill(1),
    }),
    leak(renamed(near, 'saved-again'), copy, { picture: await sharp(near.jpeg).jpeg({ quality: 60 }).toBuffer() }),
    leak(renamed(nearToo, 'brighter'), copy, {
      picture: await sharp(nearToo.jpeg).modulate({ brightness: 1.08 }).jpeg({ quality: 85 }).toBuffer(),
    }),
    leak(ofVehicle, 'of the test set', { vehicleId: view.vehicleId }),
    ...good(making.next(making.size)),
  ];
  const labels = await asMasks(shipments);
  return planned({ ...making, format: 'masks' }, 'copies of test images', labels.entries, [whole(labels)]);
};

/** Brings files that no label names. */
export const strays: Make = async (making) => {
  const labels = await labelled(making.format, good(making.next(making.size)));
  const [car] = making.next(1) as [Car];
  const parcel = whole(labels);
  parcel.files.set('images/nobody-names-me.jpg', car.jpeg);
  const { sha256 } = car;
  return planned(making, 'a file that no label names', labels.entries, [parcel], {
    strays: [{ path: 'images/nobody-names-me.jpg', sha256 }],
  });
};

/** Names a picture that never comes. */
export const neverWhole: Make = async (making) => {
  const [car] = making.next(1) as [Car];
  const missing = rejected(car, 'does not exist in the drop', { picture: null });
  return simple(making, 'lacks a picture for good', [missing, ...good(making.next(making.size))]);
};
