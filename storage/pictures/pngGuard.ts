import { inflateSync } from 'node:zlib';
import { PartloopError } from '../../domain/base/errors.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Bytes of a chunk around its body: length, type, checksum. */
const FRAME = 12;
const HEADER_END = SIGNATURE.length + FRAME + 13;
/** Deflate makes at most 1032 bytes of one: less compressed data than this cannot unpack to more than 64 MB. */
const HARMLESS_BYTES = 65_000;
/** Samples per pixel by colour type (PNG specification, third edition, 11.2.1). */
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/**
 * Chunks of the picture itself; others may unpack to any size (colour profiles, texts) and do not matter for a label.
 */
const CRITICAL = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);

/** True for data that begin like a PNG file, with a whole header. */
export function isPng(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_END && SIGNATURE.equals(bytes.subarray(0, SIGNATURE.length));
}

/**
 * The chunks of a PNG file that contain its picture, guaranteed to unpack to at most the size in its header: otherwise
 * a few kilobytes may unpack to gigabytes. A file that is no PNG is returned unchanged, for the decoder to refuse.
 *
 * @throws PartloopError `data-invalid` naming `origin`
 */
export function boundedPng(bytes: Uint8Array, origin: string, maxPixels: number): Uint8Array {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isPng(bytes)) return bytes;
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  if (width * height > maxPixels)
    throw new PartloopError('data-invalid', `${origin} has ${width}×${height} pixels, more than ${maxPixels}`);

  const kept: Buffer[] = [SIGNATURE];
  const data: Buffer[] = [];
  for (let at = SIGNATURE.length; at + FRAME <= file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const end = at + FRAME + length;
    if (end > file.length) throw new PartloopError('data-invalid', `${origin} is not a readable PNG: it is cut short`);
    if (CRITICAL.has(type)) kept.push(file.subarray(at, end));
    if (type === 'IDAT') data.push(file.subarray(at + 8, end - 4));
    at = end;
  }
  const compressed = Buffer.concat(data);
  if (compressed.length > HARMLESS_BYTES) {
    const rowBytes = 1 + Math.ceil((width * (CHANNELS[file[25] ?? 0] ?? 4) * (file[24] ?? 16)) / 8);
    // An interlaced picture has up to twice as many rows, each with its own extra byte and rounding.
    unpacksWithin(compressed, height * (rowBytes + 4) + 64, origin);
  }
  return Buffer.concat(kept);
}

function unpacksWithin(compressed: Buffer, maxOutputLength: number, origin: string): void {
  try {
    inflateSync(compressed, { maxOutputLength });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const reason = code === 'ERR_BUFFER_TOO_LARGE' ? 'it unpacks to more than its header says' : 'its data are damaged';
    throw new PartloopError('data-invalid', `${origin} is not a readable PNG: ${reason}`, { cause });
  }
}
