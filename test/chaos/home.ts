import { Client, Connection } from '@temporalio/client';
import { loadCredentials } from '../../infra/credentials.js';
import { isAlive, signalProcess } from '../../infra/processes.js';
import { LOCAL_REGION, LOCAL_STORE } from '../../infra/seaweed.js';
import { readState } from '../../infra/state.js';
import { LOCAL_NAMESPACE } from '../../infra/temporalServer.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { openStore } from '../../storage/s3.js';

/** The store of the stack in a home. */
export async function storeOfHome(home: string): Promise<ObjectStore> {
  const state = readState(home);
  if (state === null) throw new Error(`no stack was started in ${home}`);
  const { accessKeyId, secretAccessKey } = loadCredentials(home);
  return openStore({
    uri: LOCAL_STORE,
    region: LOCAL_REGION,
    endpoint: `http://127.0.0.1:${state.ports.s3}`,
    credentials: { accessKeyId, secretAccessKey },
  });
}

/** A client of the Temporal server of the stack in a home; close its connection. */
export async function clientOfHome(home: string): Promise<Client> {
  const state = readState(home);
  if (state === null) throw new Error(`no stack was started in ${home}`);
  const connection = await Connection.connect({ address: `127.0.0.1:${state.ports.temporal}` });
  return new Client({ connection, namespace: LOCAL_NAMESPACE });
}

/** SIGKILL to one process of the stack in a home. */
export async function killSupervised(home: string, name: string): Promise<void> {
  const supervised = readState(home)?.processes[name]?.process;
  if (!isAlive(supervised)) throw new Error(`${name} does not run in ${home}`);
  signalProcess(supervised, 'SIGKILL');
}
