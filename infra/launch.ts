import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PartloopError } from '../domain/errors.js';
import { homePaths, makeHome, ROOT } from './home.js';
import { isAlive } from './processes.js';
import { readState } from './state.js';

const TIMEOUT_MS = 120_000;
/** How a supervisor says that another holds the stack: whoever started it then waits for that one. */
export const ALREADY_RUNNING_EXIT_CODE = 75;

/** Start the supervisor in the background, or join one that is starting, and wait until the stack is ready. */
export async function launchSupervisor(home: string): Promise<void> {
  makeHome(home);
  const logFile = join(homePaths(home).logs, 'supervisor.log');
  const child = spawnDetached(home, logFile);
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const state = readState(home);
    if (state !== null && isAlive(state.supervisor) && state.phase === 'ready') return;
    if (child.exitCode !== null && child.exitCode !== ALREADY_RUNNING_EXIT_CODE) {
      throw new PartloopError(
        'stack-unavailable',
        `the local stack did not start: ${state?.failure ?? `exit code ${child.exitCode}`}`,
        {
          hint: `Logs are in ${homePaths(home).logs}; \`partloop doctor\` checks what it needs.`,
        },
      );
    }
    if (performance.now() > deadline) {
      throw new PartloopError('stack-unavailable', 'the local stack was not ready within two minutes', {
        hint: `Logs are in ${homePaths(home).logs}.`,
      });
    }
    await sleep(50);
  }
}

function spawnDetached(home: string, logFile: string): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'infra', 'supervisor.js')], {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, PARTLOOP_HOME: home, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
      stdio: ['ignore', log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}
