import { join } from 'node:path';
import { lockedPython } from '../../infra/lockedPython.js';

/** The interpreter of the peers' own virtual environment, made by uv from the hashed lock if it does not exist. */
export const peerPython = (home: string, root: string): Promise<string> =>
  lockedPython({
    lock: join(root, 'bench', 'peers', 'requirements.lock.txt'),
    venvs: join(home, 'bench', 'venvs'),
    root,
    hint: '`--no-peer` measures without them.',
  });
