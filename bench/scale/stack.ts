import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PartloopError } from '../../domain/base/errors.js';
import { ROOT } from '../../infra/home.js';
import { peakMegabytes } from '../proc.js';
import { TEMPLATES_VARIABLE } from './templates.js';

const CLI = join(ROOT, 'dist', 'cli', 'main.js');
const LOOK_MS = 100;
const SHOWN_CHARS = 2_000;

/** A local stack in a home of its own, whose workers have stand-ins for networks and the trainer. */
export interface BenchStack {
  home: string;
  /** Run a command of `partloop`; the largest memory that it held. Aborting it is a Ctrl-C. */
  partloop(args: readonly string[], signal?: AbortSignal): Promise<number>;
}

/** The stack's environment; the bench's own process has it too, so that its clients reach the same servers. */
export async function prepareStack(home: string): Promise<BenchStack> {
  const python = join(home, 'trainer-stand-in');
  const trainer = fileURLToPath(new URL('./standIns/trainerMain.js', import.meta.url));
  await mkdir(home, { recursive: true });
  await writeFile(python, `#!/bin/sh\nexec '${process.execPath}' '${trainer}' "$@"\n`);
  await chmod(python, 0o700);
  process.env.PARTLOOP_HOME = home;
  const environment = {
    ...process.env,
    PARTLOOP_PYTHON: python,
    [TEMPLATES_VARIABLE]: templatesIn(home),
    NODE_OPTIONS: `--import=${new URL('./standIns/register.js', import.meta.url).href}`,
    NO_COLOR: '1',
  };
  return { home, partloop: (args, signal) => command(environment, args, signal) };
}

export const templatesIn = (home: string): string => join(home, 'templates.json');

function command(env: NodeJS.ProcessEnv, args: readonly string[], signal?: AbortSignal): Promise<number> {
  const stop = signal === undefined ? {} : { signal, killSignal: 'SIGINT' as const };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'], ...stop });
  let [stderr, megabytes] = ['', 0];
  const timer = setInterval(() => {
    megabytes = Math.max(megabytes, peakMegabytes(child.pid ?? 0));
  }, LOOK_MS);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-SHOWN_CHARS);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(megabytes);
      else reject(new PartloopError('stack-unavailable', `partloop ${args.join(' ')} ended with ${code}: ${stderr}`));
    });
  });
}
