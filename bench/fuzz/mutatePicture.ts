import { deflateSync } from 'node:zlib';
import { mutateBytes } from './mutateBytes.js';
import type { Choices } from './source.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const SIZES = [0, 1, 2, 24, 25, 255, 4_096, 9_999, 10_000, 65_535, 100_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

interface Chunk {
  type: string;
  body: Buffer;
}

/** The checksum of PNG chunks (PNG specification, third edition, annex D). */
function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** A PNG whose header, chunks or data are others, with checksums that fit; or one with damaged bytes. */
export function mutatePng(png: Uint8Array, choices: Choices): Uint8Array {
  if (choices.chance(0.4)) return mutateBytes(png, choices);
  let chunks = split(png);
  for (let rounds = 1 + choices.below(2); rounds > 0; rounds--) chunks = changeChunks(chunks, choices);
  return join(chunks, choices);
}

function split(png: Uint8Array): Chunk[] {
  const file = Buffer.from(png);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    chunks.push({ type: file.toString('latin1', at + 4, at + 8), body: file.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function join(chunks: readonly Chunk[], choices: Choices): Uint8Array {
  const wrong = choices.chance(0.05);
  const parts = chunks.flatMap(({ type, body }) => {
    const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(wrong && choices.chance(0.3) ? choices.pick(SIZES) : body.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(named));
    return [length, named, sum];
  });
  return Uint8Array.from(Buffer.concat([SIGNATURE, ...parts]));
}

function changeChunks(chunks: readonly Chunk[], choices: Choices): Chunk[] {
  const at = choices.below(chunks.length);
  const other = choices.below(chunks.length);
  switch (choices.below(6)) {
    case 0:
    case 1:
      return chunks.map((chunk) => (chunk.type === 'IHDR' ? header(chunk, choices) : chunk));
    case 2:
      return chunks.filter((_, index) => index !== at);
    case 3:
      return chunks.flatMap((chunk, index) => (index === at ? [chunk, chunks[other] as Chunk] : [chunk]));
    case 4:
      return [...chunks.slice(0, 1), extra(choices), ...chunks.slice(1)];
    default:
      return chunks.map((chunk) => (chunk.type === 'IDAT' ? data(chunk, choices) : chunk));
  }
}

function header({ type, body }: Chunk, choices: Choices): Chunk {
  const changed = Buffer.from(body);
  if (changed.length < 13) return { type, body: changed };
  switch (choices.below(5)) {
    case 0:
      changed.writeUInt32BE(choices.pick(SIZES), 0);
      break;
    case 1:
      changed.writeUInt32BE(choices.pick(SIZES), 4);
      break;
    case 2:
      changed[8] = choices.pick([0, 1, 2, 4, 8, 16, 32, 255]);
      break;
    case 3:
      changed[9] = choices.pick([0, 1, 2, 3, 4, 5, 6, 7, 255]);
      break;
    default:
      changed[12] = choices.pick([0, 1, 2, 255]);
  }
  return { type, body: changed };
}

/** Chunks that say something of their own, some of which unpack to far more than they hold. */
function extra(choices: Choices): Chunk {
  const bomb = deflateSync(Buffer.alloc(choices.size(2 ** 23)));
  return choices.pick([
    () => ({ type: 'zTXt', body: Buffer.concat([Buffer.from('a\0\0', 'latin1'), bomb]) }),
    () => ({ type: 'iCCP', body: Buffer.concat([Buffer.from('a\0\0', 'latin1'), bomb]) }),
    () => ({ type: 'IDAT', body: bomb }),
    () => ({ type: 'PLTE', body: Buffer.from(choices.bytes(choices.size(1_000))) }),
    () => ({ type: 'tRNS', body: Buffer.from(choices.bytes(choices.size(300))) }),
    () => ({ type: 'acTL', body: Buffer.from(choices.bytes(8)) }),
    () => ({ type: 'eXIf', body: Buffer.from(choices.bytes(choices.size(100))) }),
  ])();
}

const data = ({ type, body }: Chunk, choices: Choices): Chunk => ({
  type,
  body: choices.chance(0.5)
    ? Buffer.from(mutateBytes(body, choices))
    : deflateSync(Buffer.from(choices.bytes(choices.size(5_000)))),
});

/** A JPEG with another size in its frame, other segments, or damaged bytes. */
export function mutateJpeg(jpeg: Uint8Array, choices: Choices): Uint8Array {
  if (choices.chance(0.6)) return mutateBytes(jpeg, choices);
  const changed = Buffer.from(jpeg);
  const frame = changed.indexOf(Buffer.from([0xff, 0xc0]));
  if (frame < 0 || frame + 9 > changed.length) return mutateBytes(jpeg, choices);
  changed.writeUInt16BE(choices.pick(SIZES) & 0xffff, frame + choices.pick([5, 7]));
  return Uint8Array.from(changed);
}
