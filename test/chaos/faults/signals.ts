import { setTimeout as sleep } from 'node:timers/promises';
import { signalProcess, waitForEnd } from '../../../infra/processes/processes.js';
import { VICTIMS, type Victim } from '../chaosHome.js';
import { between, type Fault, type World } from './fault.js';

const SUPERVISOR_STOPS_MS = 200_000;

/** SIGKILL, SIGTERM, and SIGSTOP with an end, to each process of a stack. */
export const signalFaults: Fault[] = VICTIMS.flatMap((victim): Fault[] => [
  { kind: 'sigkill', target: victim, inject: (world) => end(world, victim, 'SIGKILL') },
  { kind: 'sigterm', target: victim, inject: (world) => end(world, victim, 'SIGTERM') },
  { kind: 'sigstop', target: victim, inject: (world) => freeze(world, victim) },
]);

async function end(world: World, victim: Victim, signal: 'SIGKILL' | 'SIGTERM'): Promise<string | null> {
  const process = await world.home.process(victim);
  if (process === null || !signalProcess(process, signal)) return null;
  if (victim === 'supervisor') {
    // Only a person starts a supervisor again.
    await waitForEnd(process, SUPERVISOR_STOPS_MS);
    await world.home.up();
  }
  return `process ${process.pid}`;
}

async function freeze(world: World, victim: Victim): Promise<string | null> {
  const { home, random, signal } = world;
  const process = await home.process(victim);
  if (process === null || !signalProcess(process, 'SIGSTOP')) return null;
  const seconds = between(random, 2, 14);
  await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined);
  const isKilled = random() < 0.3;
  signalProcess(process, isKilled ? 'SIGKILL' : 'SIGCONT');
  if (isKilled && victim === 'supervisor') {
    await waitForEnd(process, SUPERVISOR_STOPS_MS);
    await home.up();
  }
  return `process ${process.pid} for ${seconds.toFixed(1)} s, then ${isKilled ? 'SIGKILL' : 'SIGCONT'}`;
}

/** Everything down in order, and up again. */
export const restartFault: Fault = {
  kind: 'restart',
  target: 'stack',
  async inject({ home }) {
    await home.command(['down']);
    await home.up();
    return 'down and up';
  },
};
