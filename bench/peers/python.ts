import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PartloopError } from '../../domain/base/errors.js';

const run = promisify(execFile);

/** The interpreter of the peers' own virtual environment, which uv makes from the hashed lock if it does not exist. */
export async function peerPython(home: string, root: string): Promise<string> {
  const lock = join(root, 'bench', 'peers', 'requirements.lock.txt');
  const digest = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex');
  const venv = join(home, 'bench', 'venvs', digest.slice(0, 24));
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
    throw new PartloopError('setup-incomplete', `the programs to compare with could not be installed from ${lock}`, {
      hint: '`--no-peer` measures without them.',
      cause,
    });
  }
  await writeFile(join(venv, 'complete'), '');
  return python;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
