import { spawn } from 'node:child_process';

/**
 * `node dist/infra/processes/guardMain.js COMMAND ARG…`: runs the command until standard input closes, which happens
 * when the process at its other end has died; then ends the command. The guard for systems without `setpriv`.
 */
const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('guardMain needs a command to run');

const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.once('error', (error) => {
  process.stderr.write(`${command} could not start: ${error.message}\n`);
  process.exit(127);
});
child.once('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
process.stdin.resume();
process.stdin.once('close', () => child.kill('SIGKILL'));
