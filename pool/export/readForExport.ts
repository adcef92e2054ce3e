import { PartloopError } from '../../domain/base/errors.js';
import { isFaultOfImage } from '../../domain/images/leftOut.js';
import type { IndexRow } from '../../domain/tables.js';
import type { DatasetImage, DatasetWriter } from '../../formats/dataset.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readImage, readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';
import { uprightPicture } from '../../storage/pictures/upright.js';
import type { LeftOutOfExport } from './exportFolder.js';

/** copy: with their bytes; link: they stay where they are. */
export type ImagesOut = 'copy' | 'link';

/** An image as it goes out, or why it does not. */
export type ReadForExport = { image: DatasetImage; turned: boolean } | { leftOut: LeftOutOfExport };

/**
 * Read picture and label of an image.
 *
 * @throws PartloopError faults that are not the image's own
 */
export async function readForExport(
  store: ObjectStore,
  { row, name }: { row: IndexRow; name: string },
  { images, writer }: { images: ImagesOut; writer: Pick<DatasetWriter, 'hasPicture'> },
): Promise<ReadForExport> {
  try {
    const label = await readLabel(store, row);
    const { pixels, width, height } = await decodeLabel(label, `label of ${row.fileName}`);
    if (width !== row.width || height !== row.height)
      throw new PartloopError(
        'data-invalid',
        `its label is ${width}×${height}, the picture ${row.width}×${row.height}`,
      );
    if (images === 'link' || (await writer.hasPicture(name, row.imageId)))
      return { image: { row, name, picture: null, label, pixels }, turned: false };
    const { bytes, kind, turned } = await uprightPicture(await readImage(store, row), row.fileName);
    const written = turned && kind === 'png' && !/\.png$/i.test(name) ? `${name}.png` : name;
    return { image: { row, name: written, picture: bytes, label, pixels }, turned };
  } catch (error) {
    if (!isFaultOfImage(error)) throw error;
    return { leftOut: { imageId: row.imageId, fileName: row.fileName, reason: error.message } };
  }
}
