import { rawPhotoReason } from './rawPhoto.js';

/** Kinds of files that are read as pictures. */
export const PICTURE_KINDS = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const;
export type PictureKind = (typeof PICTURE_KINDS)[number];

/** The kind of a file by its bytes, whatever its name: a readable kind, or the reason why it is not readable. */
export type RecognisedFile = { kind: PictureKind } | { refused: string };

const CONVERT = 'convert it to JPEG or PNG first';
const RAW = `a camera's RAW file is not developed here; ${CONVERT}`;
/** Major and compatible brands of ISO base media files (ISO/IEC 14496-12, 23008-12; the MP4 registration authority). */
const AVIF_BRANDS = ['avif', 'avis'];
const HEIF_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'mif2', 'msf1'];

/** First bytes of unsupported files that people bring, as Latin-1. */
const REFUSED: readonly (readonly [start: string, reason: string])[] = [
  ['%PDF', 'PDF is a document, not a photograph'],
  ['BM', `BMP cannot be read here; ${CONVERT}`],
  ['8BPS', `a Photoshop document cannot be read here; ${CONVERT}`],
  ['\0\0\x01\0', `an icon file cannot be read here; ${CONVERT}`],
  ['\xff\x0a', `JPEG XL cannot be read here; ${CONVERT}`],
  ['\0\0\0\x0cJXL ', `JPEG XL cannot be read here; ${CONVERT}`],
  ['\0\0\0\x0cjP  ', `JPEG 2000 cannot be read here; ${CONVERT}`],
  ['\xff\x4f\xff\x51', `JPEG 2000 cannot be read here; ${CONVERT}`],
  ['#?R', `Radiance HDR cannot be read here; ${CONVERT}`],
  ['\x76\x2f\x31\x01', `OpenEXR cannot be read here; ${CONVERT}`],
  ['FUJIFILMCCD-RAW', RAW],
  ['IIRO', RAW],
  ['IIRS', RAW],
  ['IIU\0', RAW],
  ['\x1a\x45\xdf\xa3', 'it is a video: extract its frames first'],
  ['\0\0\x01\xba', 'it is a video: extract its frames first'],
  ['\0\0\x01\xb3', 'it is a video: extract its frames first'],
  ['PK\x03\x04', 'it is a ZIP archive: unpack it first'],
  ['\x1f\x8b', 'it is a gzip archive: unpack it first'],
  ['version https://git-lfs', 'it is a Git LFS pointer, not the file itself: run `git lfs pull`'],
];

/** Recognise a file by its content. Only recognised files reach a decoder. */
export function recognise(bytes: Uint8Array): RecognisedFile {
  if (bytes.length === 0) return { refused: 'the file is empty' };
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return { kind: 'jpeg' };
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return { kind: 'png' };
  if (head.startsWith('GIF8')) return { kind: 'gif' };
  if (head.startsWith('RIFF')) return riff(head);
  if (/^(II\*\0|MM\0\*|II\+\0|MM\0\+)/.test(head)) return tiff(bytes);
  if (head.slice(4, 8) === 'ftyp') return isoMedia(head);
  const known = REFUSED.find(([start]) => head.startsWith(start));
  if (known !== undefined) return { refused: known[1] };
  return text(head) ?? { refused: 'its content is that of no known kind of picture' };
}

function riff(head: string): RecognisedFile {
  const form = head.slice(8, 12);
  if (form === 'WEBP') return { kind: 'webp' };
  if (form === 'AVI ') return { refused: 'it is a video: extract its frames first' };
  return { refused: 'its content is that of no known kind of picture' };
}

function tiff(bytes: Uint8Array): RecognisedFile {
  const reason = rawPhotoReason(bytes);
  return reason === null ? { kind: 'tiff' } : { refused: `${reason}; ${CONVERT}` };
}

function isoMedia(head: string): RecognisedFile {
  const length = Buffer.from(head.slice(0, 4), 'latin1').readUInt32BE(0);
  const brands: string[] = [];
  // The four bytes after the major brand are a version.
  for (let at = 8; at + 4 <= Math.min(length, head.length); at += at === 8 ? 8 : 4) brands.push(head.slice(at, at + 4));
  if (brands.some((brand) => AVIF_BRANDS.includes(brand))) return { kind: 'avif' };
  if (brands.some((brand) => HEIF_BRANDS.includes(brand)))
    return { refused: `HEIC/HEIF cannot be read here; ${CONVERT}` };
  if (brands.includes('crx ')) return { refused: RAW };
  return { refused: 'it is a video: extract its frames first' };
}

function text(head: string): RecognisedFile | null {
  const start = head
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
    .toLowerCase();
  if (start.startsWith('<svg') || (/^<(\?xml|!doctype svg|!--)/.test(start) && start.includes('<svg')))
    return { refused: 'SVG is a drawing, not a photograph' };
  if (start.startsWith('<!doctype html') || start.startsWith('<html'))
    return { refused: 'it is a web page: the download got an error instead of the picture' };
  if (start.startsWith('<?xml')) return { refused: 'it is an XML document' };
  return null;
}
