import { PartloopError } from '../../domain/base/errors.js';
import type { SizedFile } from './sizedFile.js';

const READ_AT_ONCE = 2 ** 20;
/** Bytes that are looked at before and after a place. */
const AROUND = 80;
/** The beginning of a word or number that an error may be in the middle of, such as `-Infinity`. */
const WORD_BEFORE = /[\w+.-]*$/;

/** Line and column of a byte, counted in letters, as people see them. */
export async function placeText(file: SizedFile, at: number): Promise<string> {
  const decoder = new TextDecoder();
  let [line, column, read] = [1, 1, 0];
  for await (const chunk of file.chunks(READ_AT_ONCE)) {
    const text = decoder.decode(chunk.subarray(0, at - read), { stream: true });
    const lines = text.split('\n');
    line += lines.length - 1;
    column = (lines.length === 1 ? column : 1) + (lines.at(-1)?.length ?? 0);
    read += chunk.length;
    if (read >= at) break;
  }
  return `line ${line}, column ${column}`;
}

/** The error for a file that is no JSON from this byte on; null for one without any text. */
export async function notJson(file: SizedFile, at: number | null, cause: unknown): Promise<PartloopError> {
  if (at === null) return new PartloopError('input-invalid', `${file.name} is not JSON`, { cause });
  const from = Math.max(0, at - AROUND);
  const ranges = [
    { begin: from, size: at - from },
    { begin: at, size: Math.min(AROUND, file.size - at) },
  ];
  const [before = '', after = ''] = (await file.read(ranges)).map((bytes) => bytes.toString('latin1'));
  const begun = after === '' ? '' : (WORD_BEFORE.exec(before)?.[0] ?? '');
  const start = at - begun.length;
  const size = Math.min(AROUND, file.size - start);
  const [bytes = Buffer.alloc(0)] = await file.read([{ begin: start, size }]);
  const what = /^\S{1,20}/.exec(bytes.toString('utf8'))?.[0] ?? 'its end';
  return notJsonAt(file.name, await placeText(file, start), what, cause);
}

/** The error for a text that is no JSON from a place on. */
export function notJsonAt(name: string, place: string, what: string, cause: unknown): PartloopError {
  const isNumber = /^(-?Infinity|NaN)/.test(what);
  return new PartloopError('input-invalid', `${name} is not JSON: ${place}, at \`${what}\``, {
    cause,
    ...(isNumber ? { hint: 'JSON has no NaN or Infinity; Python writes them unless `allow_nan=False` is set.' } : {}),
  });
}
