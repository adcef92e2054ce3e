import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../home.js';

export interface GuardedCommand {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Standard output and error are appended here. */
  logFile: string;
  /** A descriptor that the program keeps open, so that its lock outlives this process. */
  held?: number;
}

let setprivWorks: boolean | null = null;

/** util-linux's `setpriv` asks the kernel to end the program when its parent ends, however that happens. */
function canUseSetpriv(): boolean {
  setprivWorks ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return setprivWorks;
}

/**
 * Start a program that cannot outlive this process, even when this process is killed with SIGKILL. It has its own
 * process group, so that Ctrl-C in a terminal reaches only this process, which then stops things in order.
 */
export function spawnGuarded({ command, args, env, cwd, logFile, held }: GuardedCommand): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  const kept = held === undefined ? [] : [held];
  try {
    if (canUseSetpriv()) {
      const guarded = ['--pdeathsig', 'KILL', command, ...args];
      return spawn('setpriv', guarded, { env, cwd, detached: true, stdio: ['ignore', log, log, ...kept] });
    }
    const watcher = [join(ROOT, 'dist', 'infra', 'processes', 'guardMain.js'), command, ...args];
    return spawn(process.execPath, watcher, { env, cwd, detached: true, stdio: ['pipe', log, log, ...kept] });
  } finally {
    closeSync(log);
  }
}
