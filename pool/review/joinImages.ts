import { basename } from 'node:path/posix';
import type { ManifestImage } from '../../formats/manifest.js';
import type { ReturnedImage } from '../../formats/returned.js';
import { stemOf } from '../../formats/writer.js';

/**
 * Which exported image a returned one is: by our id, else by its name in the export, else by the end of its name where only
 * one image has it (tools flatten folders, add their own, or drop the ending).
 */
export function imageJoiner(images: readonly ManifestImage[]): (returned: ReturnedImage) => ManifestImage | null {
  const byId = new Map(images.map((image) => [image.imageId, image]));
  const byName = unique(images, ({ name }) => name.toLowerCase());
  const byStem = unique(images, ({ name }) => stemOf(name).toLowerCase());
  const byBase = unique(images, ({ name }) => basename(stemOf(name)).toLowerCase());
  return ({ imageId, name }) => {
    if (imageId !== null) {
      const known = byId.get(imageId);
      if (known !== undefined) return known;
    }
    const plain = name.replaceAll('\\', '/').toLowerCase();
    const stem = stemOf(plain);
    return (
      byName.get(plain) ??
      byStem.get(plain) ??
      byStem.get(stem) ??
      byBase.get(basename(plain)) ??
      byBase.get(basename(stem)) ??
      null
    );
  };
}

/** Images by a key that no other image has. */
function unique(images: readonly ManifestImage[], keyOf: (image: ManifestImage) => string): Map<string, ManifestImage> {
  const found = new Map<string, ManifestImage>();
  const twice = new Set<string>();
  for (const image of images) {
    const key = keyOf(image);
    if (found.has(key)) twice.add(key);
    found.set(key, image);
  }
  for (const key of twice) found.delete(key);
  return found;
}
