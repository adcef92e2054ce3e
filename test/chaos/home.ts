import { loadCredentials } from '../../infra/services/credentials.js';
import { LOCAL_REGION, LOCAL_STORE } from '../../infra/services/seaweed.js';
import { readState } from '../../infra/stack/state.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openStore } from '../../storage/objects/s3.js';

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
