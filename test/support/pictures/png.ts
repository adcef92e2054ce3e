import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * A greyscale PNG file of these unpacked bytes, whether or not they fit its header, with `others` as further chunks.
 */
export function png(
  header: { width: number; height: number; depth: number },
  unpacked: Uint8Array,
  others: readonly [type: string, body: Buffer][] = [],
): Buffer {
  const { width, height, depth } = header;
  const body = Buffer.alloc(13);
  body.writeUInt32BE(width, 0);
  body.writeUInt32BE(height, 4);
  body[8] = depth;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', body),
    ...others.map(([type, content]) => chunk(type, content)),
    chunk('IDAT', deflateSync(unpacked)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}
