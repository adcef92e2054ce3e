import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { type StoreAddress, storeAddress } from '../storage/objects/storeAddress.js';
import { missingSearchAttributes, registrationHint } from '../workers/searchAttributes.js';
import { homePaths, makeHome, partloopHome } from './home.js';
import { launchSupervisor } from './processes/launch.js';
import { isAlive } from './processes/processes.js';
import { loadCredentials } from './services/credentials.js';
import { foreignTemporal, namesStore } from './services/foreign.js';
import { LOCAL_REGION, LOCAL_STORE } from './services/seaweed.js';
import { temporalConnectionOptions } from './services/temporalConnection.js';
import { LOCAL_NAMESPACE } from './services/temporalServer.js';
import { buildDigest } from './stack/stack.js';
import { readState, type StackState } from './stack/state.js';

const DAY_SECONDS = 24 * 3_600;

/** Addresses of Temporal and the store. `credentials` is null if the AWS SDK finds them by itself. */
export interface StackEnvironment {
  temporal: { address: string; namespace: string; uiUrl: string | null };
  store: StoreAddress & { credentials: { accessKeyId: string; secretAccessKey: string } | null };
  home: string;
  /** The board of the local stack; null if no stack was ever started here. */
  board: string | null;
}

/** The state of a stack whose supervisor lives, otherwise null. */
export function runningState(home: string): StackState | null {
  const state = readState(home);
  return state !== null && isAlive(state.supervisor) ? state : null;
}

export const needsLocalStack = (): boolean => foreignTemporal() === null || !namesStore();

/** The services that commands use, from the environment or the last start of the local stack. */
export async function resolveEnvironment(): Promise<StackEnvironment> {
  const home = partloopHome();
  const store = await storeAddress();
  return {
    temporal: foreignTemporal() ?? localTemporal(home),
    store: store === null ? localStore(home) : { ...store, credentials: null },
    home,
    board: boardOf(home),
  };
}

function boardOf(home: string): string | null {
  const state = readState(home);
  return state === null ? null : `http://127.0.0.1:${state.ports.board}`;
}

function localTemporal(home: string): StackEnvironment['temporal'] {
  const { ports } = knownState(home);
  return {
    address: `127.0.0.1:${ports.temporal}`,
    namespace: LOCAL_NAMESPACE,
    uiUrl: `http://127.0.0.1:${ports.temporalUi}`,
  };
}

function localStore(home: string): StackEnvironment['store'] {
  const { ports } = knownState(home);
  const { accessKeyId, secretAccessKey } = loadCredentials(home);
  return {
    uri: LOCAL_STORE,
    endpoint: `http://127.0.0.1:${ports.s3}`,
    credentials: { accessKeyId, secretAccessKey },
    region: LOCAL_REGION,
    encryption: null,
  };
}

function knownState(home: string): StackState {
  const state = readState(home);
  if (state !== null) return state;
  throw new PartloopError('stack-unavailable', `no local stack was ever started in ${home}`, {
    hint: '`partloop up --detach` starts it.',
  });
}

/**
 * The services, ready to use: local ones are started in the background if they do not run. A Temporal service named by
 * the environment is checked for the search attributes without which a workflow would freeze.
 */
export async function ensureStack({
  quiet = false,
  signal,
}: {
  quiet?: boolean;
  signal?: AbortSignal;
} = {}): Promise<StackEnvironment> {
  const home = partloopHome();
  const say = (text: string): void => {
    if (!quiet) process.stderr.write(`${text}\n`);
  };
  if (needsLocalStack()) {
    const running = runningState(home);
    if (running?.phase !== 'ready') {
      say('Starting the local stack (Temporal, S3, workers) …');
      await launchSupervisor(home, { say, ...(signal === undefined ? {} : { signal }) });
    }
    checkParts(home, say);
  } else closeHome(home);
  const environment = await resolveEnvironment();
  if (foreignTemporal() !== null) await checkTemporal(environment.temporal);
  return environment;
}

/** A command's files in the home are private too; without a local stack a home may be missing or read-only. */
function closeHome(home: string): void {
  try {
    makeHome(home);
  } catch (error) {
    if (!(error instanceof PartloopError)) throw error;
  }
}

function checkParts(home: string, say: (text: string) => void): void {
  const state = runningState(home);
  const lacks = (name: string): boolean => state?.processes[name] === undefined;
  if ((foreignTemporal() === null && lacks('temporal')) || (!namesStore() && lacks('s3'))) {
    throw new PartloopError(
      'stack-unavailable',
      'the running stack was started for other services than the environment now names',
      {
        hint: 'Run `partloop down`, then the same command again.',
      },
    );
  }
  for (const [name, { process: ref, lastExit, lastWords }] of Object.entries(state?.processes ?? {})) {
    if (ref !== null) continue;
    const log = join(homePaths(home).logs, `${name}.log`);
    if (lastWords !== null) say(endText(name, lastWords));
    else say(`${name} ended (${lastExit}) and is started again; its log is ${log}`);
  }
  if (state !== null && state.build !== buildDigest()) {
    say('The workers run another build than this command. Run `partloop down`, then the same command again.');
  }
}

/** The reason why a program of the stack does not run, with a remedy. */
export const endText = (name: string, { message, hint }: { message: string; hint: string | null }): string =>
  `${name} does not run and is tried again: ${message}${hint === null ? '' : `\n${hint}`}`;

/** Refuse a service that lacks our search attributes: a workflow that sets one would retry silently forever. */
export async function checkTemporal({ address, namespace }: { address: string; namespace: string }): Promise<void> {
  const connection = await connectTo(address);
  try {
    const missing = await missingSearchAttributes(connection, namespace, address);
    if (missing.length === 0) return;
    throw new PartloopError(
      'setup-incomplete',
      `namespace ${namespace} at ${address} lacks ${missing.length} search attributes of partloop`,
      {
        hint: registrationHint(missing, address, namespace),
      },
    );
  } finally {
    await connection.close();
  }
}

/** Days for which a namespace keeps workflows that have ended; null where the service does not say. */
export async function retentionDays({
  address,
  namespace,
}: {
  address: string;
  namespace: string;
}): Promise<number | null> {
  const connection = await connectTo(address);
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    return seconds > 0 ? Math.round(seconds / DAY_SECONDS) : null;
  } finally {
    await connection.close();
  }
}

async function connectTo(address: string): Promise<Connection> {
  try {
    return await Connection.connect(temporalConnectionOptions(address));
  } catch (cause) {
    throw new PartloopError('stack-unavailable', `no Temporal service answers at ${address}`, {
      cause,
      hint: 'Check TEMPORAL_ADDRESS, or unset it to use the local stack.',
    });
  }
}

export { type StackStatus, stackStatus, stopStack, unfit } from './stack/control.js';
export { temporalConnectionOptions };
