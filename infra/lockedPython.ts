import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PartloopError } from '../domain/base/errors.js';

const run = promisify(execFile);

export interface LockedPython {
  /** Hashed lock file of what the environment holds. */
  lock: string;
  /** Folder of such environments, each named by the digest of its lock. */
  venvs: string;
  /** The checkout whose `.venv` has Python and uv. */
  root: string;
  /** What to do if it cannot be made. */
  hint: string;
}

/**
 * The interpreter of a virtual environment beside the trainer's, made by uv from its lock if it is not there yet.
 *
 * @throws PartloopError `setup-incomplete` if its packages cannot be installed
 */
export async function lockedPython({ lock, venvs, root, hint }: LockedPython): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex');
  const venv = join(venvs, digest.slice(0, 24));
  const python = join(venv, 'bin', 'python');
  if (await exists(join(venv, 'complete'))) return python;
  const uv = join(root, '.venv', 'bin', 'uv');
  const { PIP_INDEX_URL, UV_DEFAULT_INDEX = PIP_INDEX_URL, ...rest } = process.env;
  const env = {
    ...rest,
    UV_PYTHON_DOWNLOADS: 'never',
    ...(UV_DEFAULT_INDEX === undefined ? {} : { UV_DEFAULT_INDEX }),
  };
  try {
    await run(uv, ['venv', '--clear', '--python', join(root, '.venv', 'bin', 'python'), venv], { env });
    await run(uv, ['pip', 'sync', '--require-hashes', '--python', python, lock], { env, maxBuffer: 2 ** 24 });
  } catch (cause) {
    throw new PartloopError('setup-incomplete', `the packages of ${lock} could not be installed`, { hint, cause });
  }
  await writeFile(join(venv, 'complete'), '');
  return python;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
