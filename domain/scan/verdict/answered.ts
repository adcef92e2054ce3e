import type { Region } from '../../review/review.js';
import type { JudgedImage } from '../calibrate/calibrate.js';

/**
 * An image without the candidates that a reviewer called right. It is then at most as suspect as its strongest
 * remaining candidate, so an image with only answered findings leaves quarantine.
 */
export function withoutAnswered(image: JudgedImage, isSilenced: (region: Region) => boolean): JudgedImage {
  const { imageId, labelSha256 } = image.entry;
  const { width, height } = image.analysis;
  const candidates = image.candidates.filter(({ candidate: { kind, box } }) => {
    const [x0, y0, x1, y1] = box;
    return !isSilenced({
      ...{ imageId, labelSha256, kind },
      ...{ x0: x0 / width, y0: y0 / height, x1: x1 / width, y1: y1 / height },
    });
  });
  if (candidates.length === image.candidates.length) return image;
  const strongest = Math.max(0, ...candidates.map(({ pOwnError }) => pOwnError));
  return { ...image, candidates, pMislabelled: Math.min(image.pMislabelled, strongest) };
}

/** True if a reviewer said that this label does not contradict those of its near duplicates. */
export function conflictAnswered(
  { entry }: Pick<JudgedImage, 'entry'>,
  isSilenced: (region: Region) => boolean,
): boolean {
  const { imageId, labelSha256 } = entry;
  return isSilenced({ imageId, labelSha256, kind: 'duplicate_conflict', x0: 0, y0: 0, x1: 1, y1: 1 });
}
