import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths, makeHome } from '../../../infra/home.js';
import { spawnGuarded } from '../../../infra/processes/guard.js';
import { loadCredentials } from '../../../infra/services/credentials.js';
import { choosePorts } from '../../../infra/services/ports.js';
import {
  LOCAL_BUCKET,
  LOCAL_REGION,
  prepareSeaweed,
  removeSockets,
  seaweedCommand,
} from '../../../infra/services/seaweed.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openStore, type StoreOptions } from '../../../storage/objects/s3.js';

export interface TestStore {
  /** A store under a prefix of its own on the server. */
  open(prefix: string, timeoutMs?: number): ObjectStore;
  /** The options behind `open`, for a client of another kind. */
  options: Required<Pick<StoreOptions, 'region' | 'endpoint' | 'credentials'>>;
  stop(): Promise<void>;
}

/** A real S3 server of a test file's own, in a temporary folder; it ends with this process at the latest. */
export async function startTestStore(): Promise<TestStore> {
  const home = await mkdtemp(join(tmpdir(), 'pl-s3-'));
  makeHome(home);
  const credentials = loadCredentials(home);
  // Not the usual one: a stack that another test starts at the same moment would take it too.
  const ports = await choosePorts({ s3: randomInt(20_000, 32_000) });
  const logFile = join(homePaths(home).logs, 'seaweed.log');
  const child = spawnGuarded({ ...seaweedCommand(home, ports, credentials), env: process.env, cwd: home, logFile });
  const gone = new AbortController();
  const ended = new Promise<void>((done) => {
    child.once('exit', (code) => {
      gone.abort(new Error(`the S3 server ended with ${code}; its log is ${logFile}`));
      done();
    });
  });
  await prepareSeaweed(ports, credentials, gone.signal);
  const { accessKeyId, secretAccessKey } = credentials;
  const options = {
    region: LOCAL_REGION,
    endpoint: `http://127.0.0.1:${ports.s3}`,
    credentials: { accessKeyId, secretAccessKey },
  };
  return {
    options,
    open: (prefix, timeoutMs) =>
      openStore({
        ...options,
        uri: `s3://${LOCAL_BUCKET}/${prefix}`,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }),
    async stop() {
      child.kill('SIGKILL');
      await ended;
      removeSockets(ports);
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
