/** Number of bytes that `isNormalForm` reads: files for training identify themselves well before that. */
export const HEAD_BYTES = 4_096;
/**
 * The mark of a PNG copy. Its number is raised when any kind of picture gives other pixels than before, so that older
 * copies are made again. JPEG copies have no mark: a JPEG has always given the same pixels.
 */
export const PNG_MARK = 'partloop normal form 2';

/** Baseline, extended and progressive frames with Huffman coding: every decoder knows these. */
const KNOWN_FRAMES = [0xc0, 0xc1, 0xc2];
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
/** Huffman tables, quantisation tables, restart interval: these occur between the scans of a progressive picture. */
const TABLES = [0xc4, 0xdb, 0xdd];
const PNG_SIGNATURE = '\x89PNG\r\n\x1a\n';

interface Segment {
  marker: number;
  /** From its marker to the next one. */
  start: number;
  end: number;
}

/**
 * A plain, upright JPEG without what surrounds its pixels: profiles, EXIF, thumbnails, comments. Its pixels are the
 * same to any decoder built on libjpeg. null if it is not of the common kinds, its segments are damaged, or it has no
 * end: some decoders stop after the last line, others read on and fail.
 */
export function strippedJpeg(bytes: Uint8Array): Uint8Array | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Buffer[] = [file.subarray(0, 2)];
  for (const { marker, start, end } of segments(file)) {
    if (marker === START_OF_SCAN) {
      const imageEnd = endOfImage(file, start);
      if (imageEnd === null) return null;
      const stripped = Buffer.concat([...kept, file.subarray(start, imageEnd)]);
      return isNormalForm(stripped.subarray(0, HEAD_BYTES)) ? stripped : null;
    }
    if (!surrounds(marker)) kept.push(file.subarray(start, end));
  }
  return null;
}

/**
 * Whether a file with these first bytes was made for the trainer: a JPEG of 8 bits in colour or grey with nothing
 * around its pixels, or a PNG with our mark.
 */
export function isNormalForm(head: Uint8Array): boolean {
  const file = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (file.toString('latin1', 0, PNG_SIGNATURE.length) === PNG_SIGNATURE) return file.includes(PNG_MARK, 0, 'latin1');
  for (const { marker, start } of segments(file)) {
    if (surrounds(marker) || marker === START_OF_SCAN) return false;
    if (isFrame(marker)) {
      const [precision, bands] = [file[start + 4], file[start + 9]];
      return KNOWN_FRAMES.includes(marker) && precision === 8 && (bands === 1 || bands === 3);
    }
  }
  return false;
}

/** Application data and comments, except JFIF's and Adobe's, which tell how colours are stored. */
const surrounds = (marker: number): boolean => (marker > 0xe0 && marker <= 0xef && marker !== 0xee) || marker === 0xfe;

/** All start-of-frame markers; 0xc4, 0xc8 and 0xcc are others. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/**
 * The end of a JPEG after its end-of-image marker, searched from its first scan; null if there is none or something is
 * odd.
 */
function endOfImage(file: Buffer, firstScan: number): number | null {
  for (let at = firstScan; at + 4 <= file.length; ) {
    const marker = file[at + 1] as number;
    if (marker !== START_OF_SCAN && !TABLES.includes(marker) && !surrounds(marker)) return null;
    at += 2 + file.readUInt16BE(at + 2);
    if (marker === START_OF_SCAN) at = endOfEntropy(file, at);
    if (file[at] !== 0xff) return null;
    while (file[at + 1] === 0xff) at += 1; // fill bytes
    if (file[at + 1] === END_OF_IMAGE) return at + 2;
  }
  return null;
}

/** The first marker behind coded pixels that is neither a stuffed byte nor a restart. */
function endOfEntropy(file: Buffer, start: number): number {
  let at = file.indexOf(0xff, start);
  while (at >= 0) {
    const next = file[at + 1];
    if (next === undefined) break;
    if (next !== 0 && (next < 0xd0 || next > 0xd7)) return at;
    at = file.indexOf(0xff, at + 2);
  }
  return file.length;
}

/** Segments of a JPEG up to its first scan; ends at a cut or damaged segment. */
function* segments(file: Buffer): Generator<Segment> {
  if (file.length < 4 || file.readUInt16BE(0) !== 0xffd8) return;
  for (let at = 2; at + 4 <= file.length; ) {
    if (file[at] !== 0xff) return;
    const marker = file[at + 1] as number;
    if (marker === 0xff) {
      at += 1; // a fill byte
      continue;
    }
    const end = at + 2 + file.readUInt16BE(at + 2);
    if (end > file.length && !isFrame(marker)) return;
    yield { marker, start: at, end };
    if (marker === START_OF_SCAN) return;
    at = end;
  }
}
