import { PartloopError } from '../../domain/base/errors.js';
import { openPicture, reasonOf } from './picture.js';
import type { PictureKind } from './pictureKind.js';

/** libvips' own measure; at 95 and with whole colour planes, a copy differs from its original by rounding. */
const JPEG = { quality: 95, chromaSubsampling: '4:4:4' } as const;

/** A picture whose stored pixels lie as they are shown, so that every reader sees it as its label does. */
export interface UprightPicture {
  bytes: Uint8Array;
  kind: PictureKind;
  /** Its EXIF orientation was applied, and it was written anew; else the bytes are its own. */
  turned: boolean;
}

/**
 * A picture as it is, unless its EXIF orientation turns it. Some readers apply that orientation and others do not, so
 * such a picture is written anew in the normal form: JPEG as JPEG, others as PNG.
 *
 * @throws PartloopError `data-invalid` naming `name`
 */
export async function uprightPicture(bytes: Uint8Array, name: string): Promise<UprightPicture> {
  try {
    const { kind, turned, pixels } = await openPicture(bytes);
    if (!turned) return { bytes, kind, turned };
    if (kind === 'jpeg') return { bytes: await pixels.jpeg(JPEG).toBuffer(), kind, turned };
    return { bytes: await pixels.png().toBuffer(), kind: 'png', turned };
  } catch (cause) {
    throw new PartloopError('data-invalid', `${name} cannot be decoded: ${reasonOf(cause)}`, { cause });
  }
}
