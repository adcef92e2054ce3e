import { readFile, stat } from 'node:fs/promises';
import { PartloopError } from '../../domain/base/errors.js';
import { notJsonAt } from './jsonPlace.js';

/** The largest JavaScript string. */
const MAX_FILE_BYTES = 500 * 2 ** 20;
/** One token of JSON with the blanks before it. */
const TOKEN = /[ \t\r\n]*(?:"(?:[^"\\\p{Cc}]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[\]{}:,])/uy;

/**
 * @throws PartloopError `input-invalid` for a file that is missing, far too large, or not JSON, with line and column
 */
export async function readJsonFile(path: string): Promise<unknown> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${path} cannot be read`, { cause });
  });
  if (!facts.isFile()) throw new PartloopError('input-invalid', `${path} is not a file`);
  if (facts.size > MAX_FILE_BYTES)
    throw new PartloopError('input-invalid', `${path} has ${facts.size} bytes, more than ${MAX_FILE_BYTES}`);
  return parseJsonText(await readFile(path, 'utf8'), path);
}

/**
 * The value of a JSON text. A leading byte order mark is skipped.
 *
 * @throws PartloopError `input-invalid` naming `origin`, line and column
 */
export function parseJsonText(text: string, origin: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch (cause) {
    const at = placeOf(json, cause);
    if (at === null) throw new PartloopError('input-invalid', `${origin} is not JSON`, { cause });
    const before = json.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    const what = /^\S{1,20}/.exec(json.slice(at))?.[0] ?? 'its end';
    throw notJsonAt(origin, `line ${line}, column ${column}`, what, cause);
  }
}

/** The place of the first error: from the parser's message, otherwise the first token that is no JSON. */
function placeOf(json: string, cause: unknown): number | null {
  const said = cause instanceof Error ? /at position (\d+)/.exec(cause.message)?.[1] : undefined;
  // For `-Infinity` the parser complains about the text after the minus.
  if (said !== undefined) return json[Number(said) - 1] === '-' ? Number(said) - 1 : Number(said);
  TOKEN.lastIndex = 0;
  let end = 0;
  while (TOKEN.test(json)) end = TOKEN.lastIndex;
  const rest = json.slice(end).search(/\S/);
  return rest === -1 ? (end === 0 ? null : json.length) : end + rest;
}
