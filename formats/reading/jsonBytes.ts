import { isAscii } from 'node:buffer';
import type { SizedFile } from './sizedFile.js';

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const BLANK = 0x20;
const QUESTION_MARK = 0x3f;

/** How many bytes a byte order mark takes at the beginning of a file. */
export async function markBytes(file: SizedFile): Promise<number> {
  const size = Math.min(file.size, BYTE_ORDER_MARK.length);
  const [first] = await file.read([{ begin: 0, size }]);
  return first?.equals(BYTE_ORDER_MARK) ? size : 0;
}

/** The bytes as ASCII, in the same places: `blanks` of a byte order mark as blanks, others as question marks. */
export function asciiOf(chunk: Buffer, blanks: number): Buffer {
  if (isAscii(chunk)) return chunk;
  const copy = Buffer.from(chunk);
  copy.fill(BLANK, 0, Math.min(blanks, copy.length));
  for (const [at, byte] of copy.entries()) if (byte >= 0x80) copy[at] = QUESTION_MARK;
  return copy;
}
