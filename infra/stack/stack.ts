import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PartloopError } from '../../domain/base/errors.js';
import { readVariables, WORKER_ROLES } from '../../domain/settings/variables.js';
import { readIfThere } from '../files.js';
import { homePaths, makeHome, ROOT } from '../home.js';
import { isElsewhere, KernelLock, type LockHolder, takeLock } from '../processes/lock.js';
import { refOf } from '../processes/processes.js';
import { Supervised } from '../processes/supervised.js';
import { loadCredentials, type StackCredentials } from '../services/credentials.js';
import { foreignTemporal, namesStore } from '../services/foreign.js';
import { type Address, choosePorts, hiddenAddress, type Ports, untilListening } from '../services/ports.js';
import { prepareSeaweed, removeSockets, seaweedCommand } from '../services/seaweed.js';
import { prepareTemporal, temporalCommand } from '../services/temporalServer.js';
import { roleEnvironment, workerEnvironment } from '../workerEnvironment.js';
import { assertOpenHistoriesReplay } from './openHistories.js';
import { readState, type StackState, writeState } from './state.js';

/** A worker gets the time that a training step needs to save (`workers/roles.ts` forces the end a little earlier). */
const WORKER_GRACE_MS = 160_000;
const SERVER_GRACE_MS = 15_000;
/** A server that ends this often while it starts will not start. */
const START_FAILURES = 3;
const STOPPING_POLL_MS = 200;

/** Digest of the compiled code, so that a command can see when running workers are older than it. */
export function buildDigest(): string | null {
  return readIfThere(join(ROOT, 'dist', '.partloop-build.json'));
}

/**
 * The local stack in this process: servers first, then workers, each is restarted if it dies. `stop` ends workers
 * before servers, also while they start; `force` ends everything at once.
 */
export class LocalStack {
  readonly #home: string;
  readonly #servers: Supervised[] = [];
  readonly #workers: Supervised[] = [];
  readonly #stopAsked = new AbortController();
  #lock: KernelLock | null = null;
  #state: StackState | null = null;
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(home: string) {
    this.#home = home;
  }

  /**
   * Start everything; false if `stop` came first. Throws if another process runs a stack in this home, or if a server
   * does not start.
   */
  async start(): Promise<boolean> {
    // Only the owner may read files that this process or a program of the stack makes.
    process.umask(0o077);
    this.#starting = this.#start();
    try {
      await this.#starting;
    } catch (error) {
      if (!this.#stopAsked.signal.aborted) {
        await this.#fail(error);
        throw error;
      }
      if (error instanceof AlreadyRunningError) throw error;
    }
    return !this.#stopAsked.signal.aborted;
  }

  async #start(): Promise<void> {
    const { signal } = this.#stopAsked;
    makeHome(this.#home);
    this.#lock = await this.#takeLock(signal);
    const earlier = readState(this.#home);
    const ports = await choosePorts(earlier?.ports ?? {});
    this.#state = freshState(ports);
    await this.#bringUp(ports, loadCredentials(this.#home));
  }

  /** Waits for a stopping stack; a running one is an error. */
  async #takeLock(signal: AbortSignal): Promise<KernelLock> {
    for (;;) {
      const lock = await takeLock(homePaths(this.#home).lock, signal);
      if (lock instanceof KernelLock) return lock;
      if (isElsewhere(lock) || readState(this.#home)?.phase !== 'stopping') {
        throw new AlreadyRunningError(this.#home, lock);
      }
      await sleep(STOPPING_POLL_MS, undefined, { signal });
    }
  }

  async #bringUp(ports: Ports, credentials: StackCredentials): Promise<void> {
    this.#write({});
    const { signal } = this.#stopAsked;
    const starts: Promise<void>[] = [];
    if (foreignTemporal() === null) {
      const ui = await hiddenAddress();
      signal.throwIfAborted();
      const server = this.#add(this.#servers, 'temporal', temporalCommand(this.#home, ports, ui), process.env);
      starts.push(this.#untilReady(server, prepareTemporal(ports, signal)));
      const gate = this.#add(this.#servers, 'ui', uiGateCommand(ports, ui), process.env);
      starts.push(this.#untilReady(gate, untilListening(ports.temporalUi, signal)));
    }
    if (!namesStore()) {
      const command = seaweedCommand(this.#home, ports, credentials);
      const server = this.#add(this.#servers, 's3', command, serverEnvironment());
      starts.push(this.#untilReady(server, prepareSeaweed(ports, credentials, signal)));
    }
    await Promise.all(starts);
    signal.throwIfAborted();
    const environment = workerEnvironment(this.#home, ports, credentials);
    const roles = readVariables(process.env).PARTLOOP_WORKERS ?? WORKER_ROLES;
    if (roles.includes('light'))
      await assertOpenHistoriesReplay(environment, signal, (text) => process.stderr.write(`${text}\n`));
    signal.throwIfAborted();
    for (const role of roles) {
      const args = [join(ROOT, 'dist', 'workers', 'main.js'), '--role', role];
      const own = roleEnvironment(environment, role);
      this.#add(this.#workers, `worker-${role}`, { command: process.execPath, args }, own);
    }
    const board = [join(ROOT, 'dist', 'board', 'main.js'), `--port=${ports.board}`];
    this.#add(this.#workers, 'board', { command: process.execPath, args: board }, environment);
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
    // Each program keeps the lock open: nothing starts beside one that outlives this process by a moment.
    const held = this.#lock === null ? {} : { held: this.#lock.descriptor };
    const supervised = new Supervised(name, { command, args, env, cwd: ROOT, logFile, ...held }, () => this.#write({}));
    group.push(supervised);
    supervised.start();
    return supervised;
  }

  /** Ready, or known to be unable: the log of a server that ends repeatedly tells why. */
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
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#stopAsked.abort();
    if (this.#state?.phase === 'ready') this.#write({ phase: 'stopping' });
    await this.#starting?.catch(() => undefined);
    this.#write({ phase: 'stopping' });
    await Promise.all(this.#workers.map((worker) => worker.stop(WORKER_GRACE_MS)));
    await Promise.all(this.#servers.map((server) => server.stop(SERVER_GRACE_MS)));
    this.#end({ phase: 'stopped' });
  }

  /** End every process now; a `stop` under way then finishes. */
  force(): void {
    for (const supervised of [...this.#workers, ...this.#servers]) supervised.kill();
  }

  async #fail(error: unknown): Promise<void> {
    await Promise.all([...this.#workers, ...this.#servers].map((supervised) => supervised.stop(SERVER_GRACE_MS)));
    this.#end({ phase: 'failed', failure: failureText(error) });
  }

  #end(change: Partial<StackState>): void {
    if (this.#state !== null && !namesStore()) removeSockets(this.#state.ports);
    this.#write({ ...change, supervisor: null });
    this.#lock?.release();
    this.#lock = null;
  }

  #write(change: Partial<StackState>): void {
    if (this.#state === null) return;
    const processes = Object.fromEntries([...this.#servers, ...this.#workers].map(({ name, state }) => [name, state]));
    this.#state = { ...this.#state, ...change, processes };
    try {
      writeState(this.#home, this.#state);
    } catch (error) {
      // A full disk must not end running work.
      process.stderr.write(`${homePaths(this.#home).state} cannot be written: ${error}\n`);
    }
  }
}

export class AlreadyRunningError extends PartloopError {
  constructor(home: string, holder: LockHolder) {
    const where = isElsewhere(holder) ? ` on ${holder.host}` : '';
    super('stack-unavailable', `a stack already runs in ${home} (process ${holder.pid}${where})`, {
      hint:
        where === ''
          ? '`partloop status` shows it; `partloop down` stops it.'
          : 'Stop it there, or set PARTLOOP_HOME to a folder of this machine.',
    });
  }
}

function uiGateCommand(ports: Ports, ui: Address): { command: string; args: string[] } {
  const options = { port: ports.temporalUi, 'ui-host': ui.host, 'ui-port': ui.port };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  return { command: process.execPath, args: [join(ROOT, 'dist', 'infra', 'ui', 'uiGateMain.js'), ...flags] };
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

/** The launcher of this background process reads it, with its hint, from the state. */
function failureText(error: unknown): string {
  if (error instanceof PartloopError && error.code === 'refused')
    return `${error.message} ${error.hint ?? ''}`.trimEnd();
  return error instanceof Error ? error.message : String(error);
}
