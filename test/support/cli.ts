import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './binaries.js';

export interface CliAnswer {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Variables of the shell that would point a command at another stack. */
const FOREIGN = [
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'PARTLOOP_STORE',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
];

export interface CliOptions {
  /** Aborting it is a Ctrl-C. */
  signal?: AbortSignal;
  environment?: NodeJS.ProcessEnv;
  /** The installation whose command it is; this one if omitted. */
  root?: string;
}

/** Run `partloop` as a person would, as a process of its own, with its stack under `home`. */
export function partloop(home: string, args: readonly string[], options: CliOptions = {}): Promise<CliAnswer> {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.includes(name)));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(options.root ?? ROOT, 'dist', 'cli', 'main.js'), ...args], {
      env: { ...environment, ...options.environment, PARTLOOP_HOME: home, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGINT' }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', (error) => {
      if (error.name !== 'AbortError') reject(error);
    });
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The same, failing with what it said unless it exits with 0; the parsed JSON of its stdout. */
export async function partloopJson(
  home: string,
  args: readonly string[],
  options: Omit<CliOptions, 'signal'> = {},
): Promise<unknown> {
  const { code, stdout, stderr } = await partloop(home, [...args, '--json'], options);
  if (code !== 0) throw new Error(`partloop ${args.join(' ')} exited with ${code}:\n${stderr}\n${stdout}`);
  return JSON.parse(stdout);
}
