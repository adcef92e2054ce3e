import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PartloopError } from '../domain/base/errors.js';
import { ROOT } from '../infra/home.js';

/** A `partloop` command that runs, in a process of its own so that its memory is its own. */
export interface RunningProgram {
  pid: number;
  /** Its parsed JSON; null if it was killed. Throws what it said if it failed. */
  ended: Promise<unknown>;
}

/** @param prefix arguments of Node, such as `--cpu-prof` */
export function startPartloop(home: string, args: readonly string[], prefix: readonly string[] = []): RunningProgram {
  const main = join(ROOT, 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [...prefix, main, ...args, '--json'], {
    env: { ...process.env, PARTLOOP_HOME: home, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = new Promise<unknown>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') return resolve(null);
      if (code === 0) return resolve(JSON.parse(Buffer.concat(out).toString('utf8')));
      const said = Buffer.concat(err).toString('utf8').trim();
      reject(new PartloopError('internal', `partloop ${args.join(' ')} ended with ${code}: ${said}`));
    });
  });
  // Whoever waits for it gets its failure.
  ended.catch(() => undefined);
  return { pid: child.pid ?? 0, ended };
}
