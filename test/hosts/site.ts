import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkerRole } from '../../domain/settings/variables.js';
import { LOCAL_BUCKET } from '../../infra/services/seaweed.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { descendant } from '../chaos/processes.js';
import { ROOT } from '../support/binaries.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { localEnvironment } from '../support/servers/workflowEnvironment.js';
import { type Host, HostNetwork, serviceAddress } from './network.js';

const PREFIX = 'hosts';
const PORTS = { temporal: 7233, store: 8333 } as const;
/** Variables of the shell that would point a worker elsewhere. */
const FOREIGN = /^(TEMPORAL|AWS|PARTLOOP)_/;

/** A worker process on a host of its own, with its own disk. */
export class HostWorker {
  #text = '';

  constructor(
    readonly host: Host,
    readonly process: ChildProcess,
  ) {
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
    });
  }

  /** Its log so far. */
  get entries(): { msg: string; [field: string]: unknown }[] {
    return this.#text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  }

  get isTraining(): Promise<boolean> {
    return descendant(this.process.pid ?? 0, /partloop_trainer/).then((found) => found !== null);
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** It stands still, as a machine does whose hypervisor has no time for it, until it is thawed. */
  freeze(): void {
    this.process.kill('SIGSTOP');
  }

  thaw(): void {
    this.process.kill('SIGCONT');
  }

  /** Ask it to stop, and wait. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.process.kill('SIGTERM');
    await once(this.process, 'exit');
  }
}

/** Temporal and S3 servers, real and on loopback, and hosts that reach them through networks that can be cut. */
export class Site {
  readonly #workers: HostWorker[] = [];
  readonly #sockets = new Set<Socket>();
  #servers: Server[] = [];

  private constructor(
    readonly network: HostNetwork,
    readonly temporal: TestWorkflowEnvironment,
    private readonly s3: TestStore,
    private readonly folder: string,
  ) {}

  /** Null, with a message, if there can be no hosts. */
  static async open(): Promise<Site | null> {
    const network = await HostNetwork.make();
    if (network === null) return null;
    const started: (() => Promise<void>)[] = [() => network.remove()];
    try {
      const folder = await mkdtemp(join(tmpdir(), 'partloop-hosts-'));
      const temporal = await localEnvironment();
      started.push(() => temporal.teardown());
      const s3 = await startTestStore();
      started.push(() => s3.stop());
      const site = new Site(network, temporal, s3, folder);
      await site.#forward('temporal', Number(temporal.address.split(':').at(-1)));
      await site.#forward('store', Number(new URL(s3.options.endpoint).port));
      return site;
    } catch (error) {
      // Leftovers would keep this process alive.
      for (const stop of started) await stop();
      throw error;
    }
  }

  /** The store as the workers see it, past the network. */
  get store(): ObjectStore {
    return this.s3.open(PREFIX);
  }

  /** A host with a worker, as a cluster would start it. */
  async addWorker(name: string, role: WorkerRole): Promise<HostWorker> {
    const host = await this.network.addHost(name);
    const main = join(ROOT, 'dist', 'workers', 'main.js');
    const [program = '', ...args] = this.network.on(host, [process.execPath, main, '--role', role]);
    const env = this.#environment(join(this.folder, name));
    const worker = new HostWorker(host, spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] }));
    this.#workers.push(worker);
    return worker;
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) {
      if (process.env.PARTLOOP_TEST_LOGS !== undefined)
        for (const entry of worker.entries) console.log(worker.host.name, JSON.stringify(entry));
      if (worker.hasEnded) continue;
      worker.process.kill('SIGKILL');
      await once(worker.process, 'exit');
    }
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.network.remove();
    await this.temporal.teardown();
    await this.s3.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  #environment(home: string): NodeJS.ProcessEnv {
    const { region, credentials } = this.s3.options;
    if (credentials === undefined || typeof credentials === 'function') throw new Error('the store has fixed keys');
    const own = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
    return {
      ...Object.fromEntries(own),
      TEMPORAL_ADDRESS: `${serviceAddress('temporal')}:${PORTS.temporal}`,
      TEMPORAL_NAMESPACE: this.temporal.namespace ?? 'default',
      PARTLOOP_HOME: home,
      PARTLOOP_STORE: `s3://${LOCAL_BUCKET}/${PREFIX}`,
      AWS_ENDPOINT_URL_S3: `http://${serviceAddress('store')}:${PORTS.store}`,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  }

  /** The service in a network is the one that listens on a port of this process's loopback. */
  async #forward(network: keyof typeof PORTS, port: number): Promise<void> {
    const server = await this.network.listen(network, PORTS[network]);
    this.#servers.push(server);
    server.on('connection', (near: Socket) => {
      const far = connect(port, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.once('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.on('error', () => undefined);
        socket.pipe(other);
      }
    });
  }
}
