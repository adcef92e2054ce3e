/** Endings of pictures; tools drop them, change them, or append another one. */
const PICTURE = /\.(?:jpe?g|jfif|jp2|png|apng|webp|bmp|dib|gif|tiff?|avif|heic|heif|dng|ppm|pgm)$/i;
/** Names that Windows reserves for devices, with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i;
/** A folder of this name could take the place of another image's label file. */
const LABEL_FILE = /\.(png|txt)$/i;
const UNSAFE = '<>:"|?*\u007f';
/** File systems take 255 bytes per part; endings, suffixes and other Unicode forms need room. */
const PART_BYTES = 120;
const PATH_BYTES = 600;
const LETTERS = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** An image's name in an export. */
export interface ExportName {
  /** Path of the picture, in the form given to tools. */
  name: string;
  /** Path without an ending of the image's own label file, in formats that have one. */
  file: string;
}

/** A path in the form for comparisons: tools and file systems change its slashes, its case and its Unicode form. */
export const foldPath = (path: string): string =>
  path.replaceAll('\\', '/').normalize('NFC').toLowerCase().toUpperCase().normalize('NFC');

/** A picture's path without its ending. */
export const dropEnding = (path: string): string => path.replace(PICTURE, '');

/**
 * Names for the images of one export: safe on every file system. No image's name or file equals that of another, even
 * if case or Unicode form get lost or a tool appends `.png`.
 */
export class ExportNames {
  private readonly taken = new Set<string>();

  take(fileName: string, imageId: string): ExportName {
    const path = safePath(fileName);
    const short = imageId.slice(0, 12);
    for (let attempt = 0; ; attempt++) {
      const suffix = attempt === 0 ? '' : attempt === 1 ? `-${short}` : `-${short}-${attempt}`;
      const file = `${dropEnding(path)}${suffix}`;
      const name = `${file}${path.slice(dropEnding(path).length)}`;
      const own = [name, file, `${name}.png`, `${file}.png`].map(foldPath);
      if (own.some((key) => this.taken.has(key))) continue;
      for (const key of own) this.taken.add(key);
      return { name, file };
    }
  }
}

/** A relative path that every file system takes; long ones are cut, and distinguished by a suffix. */
function safePath(fileName: string): string {
  const parts = fileName
    .replace(/^s3:\/\/[^/]+\//, '')
    .replaceAll('\\', '/')
    .split('/')
    .map(safePart)
    .filter((part) => part !== '');
  const base = parts.pop() ?? '';
  const stem = dropEnding(base);
  const last = `${cut(stem) || 'image'}${base.slice(stem.length)}`;
  const path = [...parts.map((part) => cut(part.replace(LABEL_FILE, '_$1'))), last].join('/');
  return Buffer.byteLength(path) > PATH_BYTES ? last : path;
}

function safePart(part: string): string {
  const safe = [...part.replace(/\p{Surrogate}/gu, '_')]
    .map((letter) => (letter < ' ' || UNSAFE.includes(letter) ? '_' : letter))
    .join('')
    .trim()
    .replace(/[. ]+$/, '');
  return DEVICE.test(safe) ? `_${safe}` : safe;
}

/** The first letters that fit, never half of a letter and its accent. */
function cut(part: string): string {
  let kept = '';
  let bytes = 0;
  if (Buffer.byteLength(part) <= PART_BYTES) return part;
  for (const { segment } of LETTERS.segment(part)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > PART_BYTES) return kept.replace(/[. ]+$/, '');
    kept += segment;
  }
  return part;
}
