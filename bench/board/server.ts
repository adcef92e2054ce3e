import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { ROOT } from '../../infra/home.js';
import { choosePorts, untilListening } from '../../infra/services/ports.js';
import type { TestStore } from '../../test/support/servers/s3.js';
import { coreSecondsOf, peakMegabytes, residentMegabytes } from '../proc.js';

const START_MS = 120_000;

/** The board of a stack in a process of its own, with an empty cache. */
export interface BenchBoard {
  origin: string;
  /** Milliseconds from its start until it listened. */
  startedMs: number;
  /** What it has taken of the machine so far: megabytes, and seconds of a core. */
  use(): { resident: number; peak: number; coreSeconds: number };
  stop(): Promise<void>;
}

/** @param profile a folder for a profile of the process; null for none */
export async function startBoard(server: TestStore, uri: string, profile: string | null): Promise<BenchBoard> {
  const home = await mkdtemp(join(tmpdir(), 'pl-board-'));
  const { board: port } = await choosePorts({});
  const { region, endpoint, credentials } = server.options;
  const began = performance.now();
  const profiled = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const main = join(ROOT, 'dist', 'board', 'main.js');
  const child = spawn(process.execPath, [...profiled, main, '--port', String(port)], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      ...{ PARTLOOP_STORE: uri, PARTLOOP_HOME: home, AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region },
      ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
    },
  });
  await untilListening(port, AbortSignal.any([ended(child), AbortSignal.timeout(START_MS)]));
  const pid = child.pid ?? 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    startedMs: performance.now() - began,
    use: () => ({
      ...{ resident: residentMegabytes(pid), peak: peakMegabytes(pid) },
      coreSeconds: coreSecondsOf(pid) ?? Number.NaN,
    }),
    async stop() {
      if (child.exitCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGTERM');
        await exit;
      }
      await rm(home, { recursive: true, force: true });
    },
  };
}

function ended(child: ChildProcess): AbortSignal {
  const gone = new AbortController();
  child.once('exit', (code) => gone.abort(new PartloopError('internal', `the board ended with ${code}`)));
  return gone.signal;
}
