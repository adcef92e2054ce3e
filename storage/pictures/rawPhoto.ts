const NEW_SUBFILE_TYPE = 254;
const PHOTOMETRIC = 262;
const DNG_VERSION = 50_706;
/** Colour filter array and linear raw (TIFF/EP; DNG 1.7). */
const RAW_PHOTOMETRICS = [32_803, 34_892];
/** More entries than any camera writes: a damaged file may claim any number. */
const MOST_ENTRIES = 1_000;

/**
 * The reason why a TIFF file counts as a camera's RAW file or begins with a thumbnail; null if its first picture is the
 * picture. RAW files are TIFF files whose first picture is often a preview: a decoder would read that, at a size that
 * no label has.
 */
export function rawPhotoReason(bytes: Uint8Array): string | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.toString('latin1', 8, 10) === 'CR') return 'a RAW file of a Canon camera is not developed here';
  const tags = firstDirectory(file);
  if (tags === null) return null;
  if (tags.has(DNG_VERSION)) return 'a DNG RAW file is not developed here';
  if (RAW_PHOTOMETRICS.includes(tags.get(PHOTOMETRIC) ?? 0)) return "a camera's RAW file is not developed here";
  if (((tags.get(NEW_SUBFILE_TYPE) ?? 0) & 1) === 1)
    return "its first picture is a thumbnail, as in a camera's RAW file, which is not developed here";
  return null;
}

/**
 * Tags of the first directory with the first of their values if these are whole numbers; null for BigTIFF and damaged
 * files.
 */
function firstDirectory(file: Buffer): Map<number, number> | null {
  const little = file[0] === 0x49;
  const u16 = (at: number): number => (little ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const u32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  if (file.length < 8 || u16(2) !== 42) return null;
  const start = u32(4);
  if (start + 2 > file.length) return null;
  const entries = Math.min(u16(start), MOST_ENTRIES);
  const tags = new Map<number, number>();
  for (let at = start + 2; at < start + 2 + 12 * entries && at + 12 <= file.length; at += 12) {
    const isShort = u16(at + 2) === 3;
    tags.set(u16(at), isShort ? u16(at + 8) : u32(at + 8));
  }
  return tags;
}
