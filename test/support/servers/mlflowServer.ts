import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { peersPython } from './peers.js';

const START_MS = 300_000;

export interface MlflowServer {
  uri: string;
  /** What the server answers to a POST of its REST API. */
  post(path: string, body: object): Promise<unknown>;
  /** To a GET. */
  get(path: string, query: Readonly<Record<string, string>>): Promise<unknown>;
  stop(): Promise<void>;
}

/** A real MLflow server over SQLite, on loopback. */
export async function startMlflow(): Promise<MlflowServer> {
  const folder = await mkdtemp(join(tmpdir(), 'pl-mlflow-'));
  const port = await freePort();
  const child = spawn(
    await peersPython('mlflow'),
    [
      ...['-m', 'mlflow', 'server', '--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--no-serve-artifacts', '--default-artifact-root', join(folder, 'artifacts')],
    ],
    {
      cwd: folder,
      // A group of its own: the server has children.
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true', MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
    },
  );
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const uri = `http://127.0.0.1:${port}`;
  const until = Date.now() + START_MS;
  while (!(await isUp(uri))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error('the MLflow server does not answer');
    }
    await wait(250);
  }
  const asked = async (path: string, init?: RequestInit): Promise<unknown> => {
    const answer: unknown = await (await fetch(`${uri}/api/2.0/mlflow/${path}`, init)).json();
    return answer;
  };
  const headers = { 'content-type': 'application/json' };
  return {
    uri,
    post: (path, body) => asked(path, { method: 'POST', headers, body: JSON.stringify(body) }),
    get: (path, query) => asked(`${path}?${new URLSearchParams(query)}`),
    stop,
  };
}

const isUp = (uri: string): Promise<boolean> =>
  fetch(`${uri}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  await new Promise((done) => server.close(done));
  return port;
}
