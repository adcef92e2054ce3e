import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NO_TAGS } from '../../../domain/tags.js';
import { dsmlr18 } from '../../../domain/taxonomies/dsmlr18.js';
import { readCoco } from '../../../formats/coco/import.js';
import { inspectPicture } from '../../../pool/import/picture.js';
import { photoFolder } from '../../scan/photos.js';
import { type BenchImage, identified, type RawImage } from '../data.js';

/** A photo with its corrected label (`clean`) and, for some, the one as it was before people corrected it. */
export interface RealPhoto extends BenchImage {
  old: Uint8Array | null;
}

/** The two folders of the real data. */
export interface RealFolders {
  /** `JPEGImages` and the corrected `annotations.json`. */
  photos: string;
  /** The old labels of some of these photos. */
  oldLabels: string;
}

/** The data below `PARTLOOP_SHARED`; null if one of the two is not there. */
export function realFolders(): RealFolders | null {
  const photos = photoFolder();
  if (photos === null) return null;
  const oldLabels = join(photos, '..', '..', 'dsmlr-v1-development', 'annotations.json');
  return existsSync(oldLabels) ? { photos, oldLabels } : null;
}

/**
 * All photos with corrected labels, those with an old label among them; with `images`, only so many of those with an
 * old label and so many of the others.
 */
export async function realPhotos(
  { photos, oldLabels }: RealFolders,
  images = Number.POSITIVE_INFINITY,
): Promise<RealPhoto[]> {
  const old = await rawImages(photos, oldLabels, atMost(images));
  const oldByName = new Map(old.map(({ fileName, clean }) => [fileName, clean]));
  const isOther = atMost(images);
  const corrected = await rawImages(
    photos,
    join(photos, 'annotations.json'),
    (fileName) => oldByName.has(fileName) || isOther(fileName),
  );
  const known = await identified(corrected);
  return known.map((photo) => ({ ...photo, old: oldByName.get(photo.fileName) ?? null }));
}

/** The test photos with their labels, of any size. */
export async function testPhotos({ photos }: RealFolders): Promise<BenchImage[]> {
  const place = join(photos, '..', 'testset');
  return identified(await rawImages(place, join(place, 'annotations.json'), () => true, false));
}

/** True as often as `count` says. */
function atMost(count: number): (fileName: string) => boolean {
  let taken = 0;
  return () => taken++ < count;
}

async function rawImages(
  place: string,
  annotations: string,
  isWanted: (fileName: string) => boolean,
  mustBeSquare = true,
): Promise<RawImage[]> {
  const raw: RawImage[] = [];
  for await (const item of readCoco({
    place: join(place, 'JPEGImages'),
    annotations,
    taxonomy: dsmlr18,
    followLinks: false,
  })) {
    if (!('image' in item) || item.image.kind !== 'bytes' || !isWanted(item.fileName)) continue;
    const bytes = await item.image.read();
    const size = await inspectPicture(bytes);
    const { pixels: clean } = await item.label(size);
    // The grid of a finding's proposal is then the whole canvas of the network.
    if (mustBeSquare && size.width !== size.height) continue;
    raw.push({ fileName: item.fileName, bytes, size, clean, tags: NO_TAGS, vehicleId: null });
  }
  return raw;
}
