import { readFile, stat } from 'node:fs/promises';
import { PartloopError } from '../domain/errors.js';

/** A JavaScript string holds no more. */
const MAX_FILE_BYTES = 500 * 2 ** 20;

/** @throws PartloopError `input-invalid` for a file that is not there, far too large, or not JSON */
export async function readJsonFile(path: string): Promise<unknown> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${path} cannot be read`, { cause });
  });
  if (facts.size > MAX_FILE_BYTES)
    throw new PartloopError('input-invalid', `${path} has ${facts.size} bytes, more than ${MAX_FILE_BYTES}`);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new PartloopError('input-invalid', `${path} is not JSON`, { cause });
  }
}
