import { setTimeout as sleep } from 'node:timers/promises';
import { PartloopError } from '../../domain/base/errors.js';
import type { PausedWork } from '../../steering/pausedWork.js';
import type { QueueStatus } from '../../steering/queues.js';
import type { Retrying } from '../../steering/retrying.js';
import { storeAddress } from '../../storage/objects/storeAddress.js';
import { partloopHome } from '../home.js';
import { isLaunching, supervisorOf } from '../processes/launch.js';
import { isElsewhere, type LockHolder } from '../processes/lock.js';
import { FORCE_SIGNAL, isAlive, signalProcess, waitForEnd } from '../processes/processes.js';
import { foreignTemporal } from '../services/foreign.js';
import { isListening } from '../services/ports.js';
import { LOCAL_STORE } from '../services/seaweed.js';
import { LOCAL_NAMESPACE } from '../services/temporalServer.js';
import { pollerStatus, type StrayedWorkflow, type WorkerActivity, workerActivity } from './pollers.js';
import { readState, type StackState, type SupervisedState } from './state.js';

const WORKER_PREFIX = 'worker-';
/** A server that takes longer to answer counts as hung. */
const ANSWER_MS = 3_000;

/** The data of `partloop status`. partloop starts and stops `managed` services. */
export interface StackStatus {
  home: string;
  phase: StackState['phase'] | 'never started' | 'died';
  failure: string | null;
  supervisorPid: number | null;
  temporal: { address: string | null; namespace: string; uiUrl: string | null; managed: boolean; reachable: boolean };
  store: { uri: string; endpoint: string | null; managed: boolean; reachable: boolean | null };
  processes: {
    name: string;
    pid: number | null;
    alive: boolean;
    restarts: number;
    lastExit: string | null;
    /** Reason of its last end, in its own words; null if it could not tell. */
    lastWords: SupervisedState['lastWords'];
    /** The activity of a running worker; null for servers, and if Temporal does not answer. */
    worker: WorkerActivity | null;
  }[];
  /** The pollers of each task queue, here or elsewhere; null if Temporal does not answer. */
  queues: QueueStatus[] | null;
  /** Work at its third attempt or later; null if Temporal does not answer. */
  retrying: Retrying[] | null;
  /** Work that somebody paused in Temporal itself; null if Temporal does not answer. */
  paused: PausedWork[] | null;
  /** Workflows on a queue that no worker of ours polls; null if Temporal does not answer. */
  strayed: StrayedWorkflow[] | null;
}

/** The running parts; starts nothing. `store.reachable` is null for a store whose endpoint only the AWS SDK knows. */
export async function stackStatus(): Promise<StackStatus> {
  const home = partloopHome();
  const state = readState(home);
  const supervised = Object.entries(state?.processes ?? {});
  const temporal = await temporalStatus(state);
  const polled =
    temporal.reachable && temporal.address !== null ? await pollerStatus(temporal.address, temporal.namespace) : null;
  return {
    home,
    phase: phaseOf(state),
    failure: state?.failure ?? null,
    supervisorPid: isAlive(state?.supervisor) ? (state?.supervisor?.pid ?? null) : null,
    temporal,
    store: await storeStatus(state),
    processes: supervised.map(([name, { process: ref, restarts, lastExit, lastWords }]) => ({
      name,
      pid: ref?.pid ?? null,
      alive: isAlive(ref),
      restarts,
      lastExit,
      lastWords,
      worker:
        polled !== null && isAlive(ref) && name.startsWith(WORKER_PREFIX)
          ? workerActivity(polled, name.slice(WORKER_PREFIX.length), ref.pid)
          : null,
    })),
    queues: polled?.queues ?? null,
    retrying: polled?.retrying ?? null,
    paused: polled?.paused ?? null,
    strayed: polled?.strayed ?? null,
  };
}

/** Processes that ended with a reported reason and do not work again yet. */
export const unfit = (
  processes: StackStatus['processes'],
): { name: string; lastWords: NonNullable<SupervisedState['lastWords']> }[] =>
  processes.flatMap(({ name, alive, worker, lastWords }) =>
    lastWords === null || (alive && worker?.does !== 'silent') ? [] : [{ name, lastWords }],
  );

function phaseOf(state: StackState | null): StackStatus['phase'] {
  if (state === null) return 'never started';
  const shouldLive = state.phase !== 'stopped' && state.phase !== 'failed';
  return shouldLive && !isAlive(state.supervisor) ? 'died' : state.phase;
}

async function temporalStatus(state: StackState | null): Promise<StackStatus['temporal']> {
  const foreign = foreignTemporal();
  if (foreign !== null) {
    return { ...foreign, managed: false, reachable: await accepts(foreign.address) };
  }
  if (state === null)
    return { address: null, namespace: LOCAL_NAMESPACE, uiUrl: null, managed: true, reachable: false };
  const { temporal, temporalUi } = state.ports;
  return {
    address: `127.0.0.1:${temporal}`,
    namespace: LOCAL_NAMESPACE,
    uiUrl: `http://127.0.0.1:${temporalUi}`,
    managed: true,
    reachable: await isListening(temporal),
  };
}

async function storeStatus(state: StackState | null): Promise<StackStatus['store']> {
  const foreign = await storeAddress();
  if (foreign !== null) {
    const { uri, endpoint } = foreign;
    return { uri, endpoint, managed: false, reachable: endpoint === null ? null : await answers(endpoint) };
  }
  const endpoint = state === null ? null : `http://127.0.0.1:${state.ports.s3}`;
  return {
    uri: LOCAL_STORE,
    endpoint,
    managed: true,
    reachable: endpoint !== null && (await answers(endpoint)),
  };
}

async function accepts(address: string): Promise<boolean> {
  try {
    const { hostname, port } = new URL(`tcp://${address}`);
    return await isListening(Number(port || 80), hostname, ANSWER_MS);
  } catch {
    return false;
  }
}

/** Whether a server gives any answer: a hung one still accepts connections. */
async function answers(endpoint: string): Promise<boolean> {
  try {
    await fetch(endpoint, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
    return true;
  } catch {
    return false;
  }
}

const GRACEFUL_TIMEOUT_MS = 200_000;
const FORCED_TIMEOUT_MS = 20_000;
const LAUNCH_TIMEOUT_MS = 120_000;

/**
 * Stop the local stack: workers may save first, unless `force`. A starting stack is stopped too, even if the starting
 * command has not started its supervisor yet. False if none ran. Only the process that holds the stack's lock, or that
 * the state names, is ever signalled.
 */
export async function stopStack({ force = false }: { force?: boolean } = {}): Promise<boolean> {
  const home = partloopHome();
  const deadline = performance.now() + LAUNCH_TIMEOUT_MS;
  for (;;) {
    // In this order, since a launch that ends in between leaves a visible supervisor.
    const launching = isLaunching(home);
    const supervisor = supervisorOf(home);
    if (supervisor !== null) {
      await endSupervisor(home, supervisor, force);
      return true;
    }
    if (!launching || performance.now() > deadline) return false;
    await sleep(20);
  }
}

async function endSupervisor(home: string, supervisor: LockHolder, force: boolean): Promise<void> {
  if (isElsewhere(supervisor)) {
    throw new PartloopError('stack-unavailable', `the stack in ${home} runs on ${supervisor.host}`, {
      hint: 'Run `partloop down` there.',
    });
  }
  signalProcess(supervisor, force ? FORCE_SIGNAL : 'SIGTERM');
  if (await waitForEnd(supervisor, force ? FORCED_TIMEOUT_MS : GRACEFUL_TIMEOUT_MS)) return;
  // The guard ends the servers and workers of a supervisor that is killed.
  signalProcess(supervisor, 'SIGKILL');
  if (await waitForEnd(supervisor, FORCED_TIMEOUT_MS)) return;
  throw new PartloopError('stack-unavailable', `process ${supervisor.pid} of the local stack does not end`, {
    hint: `End it by hand: kill -9 ${supervisor.pid}`,
  });
}
