import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PartloopError } from '../domain/errors.js';
import { loadCredentials, type StackCredentials } from './credentials.js';
import { readIfThere } from './files.js';
import { foreignStore, foreignTemporal } from './foreign.js';
import { homePaths, makeHome, ROOT } from './home.js';
import { releaseLock, takeLock } from './lock.js';
import { choosePorts, type Ports } from './ports.js';
import { refOf } from './processes.js';
import { prepareSeaweed, removeSockets, seaweedCommand } from './seaweed.js';
import { readState, type StackState, writeState } from './state.js';
import { Supervised } from './supervised.js';
import { prepareTemporal, temporalCommand } from './temporalServer.js';
import { workerEnvironment } from './workerEnvironment.js';

/** A worker gets the time that a training step needs to save (`workers/roles.ts` forces the end a little earlier). */
const WORKER_GRACE_MS = 160_000;
const SERVER_GRACE_MS = 15_000;
/** A server that ends this often while it starts will not start. */
const START_FAILURES = 3;
const WORKER_ROLES = ['light', 'scan', 'train'] as const;

/** The worker processes to run: all three, or those that `PARTLOOP_WORKERS` lists (empty for none). */
function rolesToRun(): readonly string[] {
  const asked = process.env.PARTLOOP_WORKERS;
  if (asked === undefined) return WORKER_ROLES;
  const names = asked
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const unknown = names.find((name) => !WORKER_ROLES.some((role) => role === name));
  if (unknown !== undefined) {
    throw new PartloopError('config-invalid', `PARTLOOP_WORKERS names ${unknown}; roles: ${WORKER_ROLES.join(', ')}`);
  }
  return names;
}

/** Digest of the compiled code, so that a command can see when running workers are older than it. */
export function buildDigest(): string | null {
  return readIfThere(join(ROOT, 'dist', '.partloop-build.json'));
}

/**
 * The local stack in this process: servers first, then workers, each started again when it dies. `stop` ends workers
 * before servers; `force` ends everything at once.
 */
export class LocalStack {
  readonly #home: string;
  readonly #servers: Supervised[] = [];
  readonly #workers: Supervised[] = [];
  readonly #startup = new AbortController();
  #state: StackState;

  private constructor(home: string, state: StackState) {
    this.#home = home;
    this.#state = state;
  }

  /** Start everything; throws when another process runs a stack in this home, or when a server does not start. */
  static async start(home: string): Promise<LocalStack> {
    makeHome(home);
    const holder = takeLock(homePaths(home).lock);
    if (holder !== null) throw new AlreadyRunningError(home, holder.pid);
    let stack: LocalStack | null = null;
    try {
      const ports = await choosePorts(readState(home)?.ports ?? {});
      stack = new LocalStack(home, freshState(ports));
      await stack.#bringUp(ports, loadCredentials(home));
      return stack;
    } catch (error) {
      if (stack !== null) await stack.#fail(error);
      releaseLock(homePaths(home).lock);
      throw error;
    }
  }

  async #bringUp(ports: Ports, credentials: StackCredentials): Promise<void> {
    this.#write({});
    const { signal } = this.#startup;
    const starts: Promise<void>[] = [];
    if (foreignTemporal() === null) {
      const server = this.#add(this.#servers, 'temporal', temporalCommand(this.#home, ports), process.env);
      starts.push(this.#untilReady(server, prepareTemporal(ports, signal)));
    }
    if (foreignStore() === null) {
      const server = this.#add(
        this.#servers,
        's3',
        seaweedCommand(this.#home, ports, credentials),
        serverEnvironment(),
      );
      starts.push(this.#untilReady(server, prepareSeaweed(ports, credentials, signal)));
    }
    await Promise.all(starts);
    const environment = workerEnvironment(this.#home, ports, credentials);
    for (const role of rolesToRun()) {
      const args = [join(ROOT, 'dist', 'workers', 'main.js'), '--role', role];
      this.#add(this.#workers, `worker-${role}`, { command: process.execPath, args }, environment);
    }
    this.#write({ phase: 'ready' });
  }

  #add(
    group: Supervised[],
    name: string,
    { command, args }: { command: string; args: string[] },
    env: NodeJS.ProcessEnv,
  ): Supervised {
    if (!existsSync(command)) {
      throw new PartloopError('setup-incomplete', `${command} is missing`, { hint: 'Run `npm run bootstrap`.' });
    }
    const logFile = join(homePaths(this.#home).logs, `${name}.log`);
    const supervised = new Supervised(name, { command, args, env, cwd: ROOT, logFile }, () => this.#write({}));
    group.push(supervised);
    supervised.start();
    return supervised;
  }

  /** Ready, or known to be unable to: a server that ends again and again says why in its log. */
  async #untilReady(server: Supervised, ready: Promise<void>): Promise<void> {
    let watcher: NodeJS.Timeout | undefined;
    const broken = new Promise<never>((_, reject) => {
      watcher = setInterval(() => {
        if (server.failuresInRow < START_FAILURES) return;
        const said = readFileSync(server.logFile, 'utf8').trimEnd().split('\n').slice(-3).join('\n');
        reject(
          new PartloopError('stack-unavailable', `${server.name} does not start (${server.state.lastExit}): ${said}`, {
            hint: `Its log is ${server.logFile}.`,
          }),
        );
      }, 100);
    });
    try {
      await Promise.race([ready, broken]);
    } finally {
      clearInterval(watcher);
    }
  }

  /** Workers first, so that they can save and report; then the servers. Nothing is left behind. */
  async stop(): Promise<void> {
    this.#startup.abort();
    this.#write({ phase: 'stopping' });
    await Promise.all(this.#workers.map((worker) => worker.stop(WORKER_GRACE_MS)));
    await Promise.all(this.#servers.map((server) => server.stop(SERVER_GRACE_MS)));
    if (foreignStore() === null) removeSockets(this.#state.ports);
    this.#write({ phase: 'stopped', supervisor: null });
    releaseLock(homePaths(this.#home).lock);
  }

  /** End every process now; a `stop` under way then finishes. */
  force(): void {
    for (const supervised of [...this.#workers, ...this.#servers]) supervised.kill();
  }

  async #fail(error: unknown): Promise<void> {
    this.#startup.abort();
    await Promise.all([...this.#workers, ...this.#servers].map((supervised) => supervised.stop(SERVER_GRACE_MS)));
    const failure = error instanceof Error ? error.message : String(error);
    this.#write({ phase: 'failed', failure, supervisor: null });
  }

  #write(change: Partial<StackState>): void {
    const processes = Object.fromEntries([...this.#servers, ...this.#workers].map(({ name, state }) => [name, state]));
    this.#state = { ...this.#state, ...change, processes };
    writeState(this.#home, this.#state);
  }
}

export class AlreadyRunningError extends PartloopError {
  constructor(home: string, pid: number) {
    super('stack-unavailable', `a stack already runs in ${home} (process ${pid})`, {
      hint: '`partloop status` shows it; `partloop down` stops it.',
    });
  }
}

function freshState(ports: Ports): StackState {
  return {
    version: 1,
    phase: 'starting',
    failure: null,
    supervisor: refOf(process.pid),
    ports,
    processes: {},
    build: buildDigest(),
    startedAt: new Date().toISOString(),
  };
}

/** The S3 server reads AWS variables as settings of its own, so it gets none. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const isForeign = (name: string): boolean => /^(AWS_|S3_|WEED_)/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name)));
}
