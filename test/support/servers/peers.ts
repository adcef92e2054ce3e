import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lockedPython } from '../../../infra/lockedPython.js';
import { ROOT } from '../binaries.js';

const run = promisify(execFile);

/** Of some 150 MB of packages over a slow line. */
const INSTALL_MS = 900_000;

/** Packages of others that tests check partloop against; `test/peers/NAME.lock.txt` has them. */
export type Peers = 'readers' | 'mlflow';

/** The interpreter that has them. */
export const peersPython = (peers: Peers): Promise<string> =>
  lockedPython({
    lock: join(ROOT, 'test', 'peers', `${peers}.lock.txt`),
    venvs: join(ROOT, '.partloop', 'test', 'venvs'),
    root: ROOT,
    hint: 'These tests need the Python package index the first time.',
  });

/** For the `describe` that calls this: the first tests on a machine install them. */
export function needsPeers(peers: Peers): void {
  before(async function () {
    this.timeout(INSTALL_MS);
    await peersPython(peers);
  });
}

/** What a script of `test/peers` prints as JSON; it reaches no server. */
export async function askPeer(peers: Peers, script: string, args: readonly string[]): Promise<unknown> {
  const env = { ...process.env, HF_HUB_OFFLINE: '1', HF_DATASETS_OFFLINE: '1', HF_HUB_DISABLE_TELEMETRY: '1' };
  const { stdout } = await run(await peersPython(peers), [join(ROOT, 'test', 'peers', script), ...args], {
    env,
    maxBuffer: 2 ** 26,
  });
  const answer: unknown = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{') + 1));
  return answer;
}
