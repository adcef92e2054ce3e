import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from './binaries.js';

/** Runs a command at a terminal of its own, types given keys once a text has appeared, and prints how it ended. */
const PYTHON = `
import fcntl, json, os, pty, select, struct, sys, termios, time
job = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    os.execve(job["command"][0], job["command"], job["env"])
output, keys, end = b"", list(job["keys"]), time.time() + job["seconds"]
while time.time() < end:
    ready, _, _ = select.select([terminal], [], [], 0.1)
    if ready:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    if keys and keys[0]["after"].encode() in output:
        os.write(terminal, keys.pop(0)["type"].encode())
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
json.dump({"code": os.waitstatus_to_exitcode(status), "output": output.decode("utf-8", "replace")}, sys.stdout)
`;

const answerSchema = z.object({ code: z.number(), output: z.string() });

export const CTRL_C = '\u0003';

/** A Python that the set-up made; a terminal is one call there and a native package in Node. */
function python(): string {
  const own = join(ROOT, '.venv', 'bin', 'python');
  return existsSync(own) ? own : 'python3';
}

/**
 * Run a program at a terminal of its own. `keys`: what to type, each after a text has appeared; code < 0 names a
 * signal.
 */
export function atTerminal(
  command: readonly string[],
  keys: readonly { after: string; type: string }[],
  env: NodeJS.ProcessEnv = process.env,
  seconds = 100,
): Promise<z.infer<typeof answerSchema>> {
  return new Promise((resolve, reject) => {
    const child = spawn(python(), ['-c', PYTHON], { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', () => {
      try {
        resolve(answerSchema.parse(JSON.parse(said)));
      } catch (error) {
        reject(error);
      }
    });
    child.stdin.end(JSON.stringify({ command, keys, env: { ...env, TERM: 'xterm' }, seconds }));
  });
}
