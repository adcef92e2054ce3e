import { Client, Connection } from '@temporalio/client';
import { PartloopError } from '../domain/base/errors.js';
import { ensureStack, type StackEnvironment, temporalConnectionOptions } from '../infra/environment.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { openStore } from '../storage/objects/s3.js';
import { storeOptions } from '../storage/objects/storeAddress.js';
import { stoppable } from './terminal/interrupt.js';

const STARTING = ['Interrupted. This command stops the parts of the local stack that it started.'] as const;

/** The stack, started if it does not run; Ctrl-C undoes that start. */
export const openStack = (): Promise<StackEnvironment> =>
  stoppable(
    () => STARTING,
    (signal) => ensureStack({ quiet: false, signal }),
  );

/** The stack and its store. */
export async function openEnvironmentStore(): Promise<{ env: StackEnvironment; store: ObjectStore }> {
  const env = await openStack();
  return { env, store: storeOf(env) };
}

export const storeOf = ({ store }: StackEnvironment): ObjectStore => openStore(storeOptions(store));

/** The stack and a client of its Temporal service; close it with `client.connection.close()`. */
export async function openEnvironmentClient(): Promise<{ env: StackEnvironment; client: Client }> {
  const env = await openStack();
  return { env, client: await connect(env) };
}

/** Work with a client of the stack's Temporal service, closed afterwards. */
export async function withClient(work: (client: Client, env: StackEnvironment) => Promise<void>): Promise<void> {
  const { client, env } = await openEnvironmentClient();
  try {
    await work(client, env);
  } finally {
    await client.connection.close();
  }
}

export async function connect(env: StackEnvironment): Promise<Client> {
  const { address, namespace } = env.temporal;
  try {
    return new Client({
      connection: await Connection.connect({ ...temporalConnectionOptions(address), connectTimeout: '10 seconds' }),
      namespace,
    });
  } catch (cause) {
    throw new PartloopError('stack-unavailable', `no Temporal service answers at ${address}`, {
      cause,
      hint: '`partloop status` shows what runs; `partloop up --detach` starts the local stack.',
    });
  }
}

/** A page of the Temporal UI, or null if none is known. */
export function uiLink(env: StackEnvironment, path: string): string | null {
  return env.temporal.uiUrl === null ? null : `${env.temporal.uiUrl}${path}`;
}
