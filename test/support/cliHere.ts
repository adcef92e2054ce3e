import { answer } from '../../cli/terminal/answer.js';
import type { CliAnswer } from './cli.js';

/**
 * Run `partloop` in this process, which takes milliseconds, while a separate process takes a second. Only for commands
 * that end by themselves: nobody answers Ctrl-C.
 *
 * @param environment variables for the time of the command; undefined takes one away
 */
export async function partloopHere(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<CliAnswer> {
  const said = { stdout: '', stderr: '' };
  const { env, stdout, stderr, exitCode } = process;
  const writes = { stdout: stdout.write, stderr: stderr.write };
  const hold = (stream: 'stdout' | 'stderr'): void => {
    process[stream].write = (text: string | Uint8Array) => {
      said[stream] += typeof text === 'string' ? text : Buffer.from(text).toString();
      return true;
    };
  };
  const entries = Object.entries({ ...env, NO_COLOR: '1', ...environment });
  process.env = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  process.exitCode = undefined;
  hold('stdout');
  hold('stderr');
  try {
    return { code: await answer([process.execPath, 'partloop', ...args]), ...said };
  } finally {
    stdout.write = writes.stdout;
    stderr.write = writes.stderr;
    process.env = env;
    process.exitCode = exitCode;
  }
}
