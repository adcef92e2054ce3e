import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../infra/home.js';
import { isAlive, type ProcessRef } from '../../infra/processes/processes.js';
import { readState, type StackState } from '../../infra/stack/state.js';

/** A home of its own for each test file, so that no run meets another or a stack that the user has up. */
export async function makeTestHome(): Promise<{ home: string; remove: () => Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), 'pl-'));
  return { home, remove: () => rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}

/** Servers only, and none that this shell names. */
export function testEnvironment(home: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, PARTLOOP_HOME: home, PARTLOOP_WORKERS: '' };
  for (const name of ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE', 'PARTLOOP_STORE'])
    delete env[name];
  return env;
}

/** Run `partloop …` against a home, with `extra` variables on top of the test's own. */
export function partloop(
  home: string,
  extra: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const env = { ...testEnvironment(home), ...extra };
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr })));
}

export function stateOf(home: string): StackState {
  const state = readState(home);
  if (state === null) throw new Error(`no stack was started in ${home}`);
  return state;
}

export function processOf(home: string, name: string): ProcessRef {
  const ref = stateOf(home).processes[name]?.process;
  if (ref === undefined || ref === null) throw new Error(`${name} does not run in ${home}`);
  return ref;
}

/** Poll until the condition holds; the test's own time limit ends a wait that never will. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

export function allEnded(refs: readonly ProcessRef[]): boolean {
  return refs.every((ref) => !isAlive(ref));
}
