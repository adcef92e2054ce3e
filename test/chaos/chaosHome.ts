import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { homePaths } from '../../infra/home.js';
import { FORCE_SIGNAL, isAlive, type ProcessRef, signalProcess, waitForEnd } from '../../infra/processes/processes.js';
import { LOCAL_NAMESPACE } from '../../infra/services/temporalServer.js';
import { readState } from '../../infra/stack/state.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { type CliAnswer, partloop, partloopJson } from '../support/cli.js';
import { type SmallDisk, smallDisk } from '../support/servers/smallDisk.js';
import { storeOfHome } from './home.js';
import { FaultProxy } from './network/proxy.js';
import { environmentThrough } from './network/throughProxy.js';
import { descendant, processesOf } from './processes.js';

/** Folders that are small disks of their own, if mounting is permitted. */
const DISKS = { work: '1g', cache: '256m' } as const;
const CALL_MS = 10_000;
const ALL_ENDED_MS = 20_000;

export const VICTIMS = [
  'worker-light',
  'worker-scan',
  'worker-train',
  'trainer',
  'supervisor',
  'temporal',
  's3',
] as const;
export type Victim = (typeof VICTIMS)[number];

/** A stack of its own below a folder, whose workers reach the store through a proxy that can misbehave. */
export class ChaosHome {
  readonly path: string;
  readonly proxy: FaultProxy;
  readonly #disks: SmallDisk[];
  #rising: Promise<void> = Promise.resolve();
  #client: { address: string; connection: Connection; client: Client } | null = null;

  private constructor(path: string, proxy: FaultProxy, disks: SmallDisk[]) {
    this.path = path;
    this.proxy = proxy;
    this.#disks = disks;
  }

  static async make(path: string, random: () => number, withDisks: boolean): Promise<ChaosHome> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const disks: SmallDisk[] = [];
    for (const [folder, size] of withDisks ? Object.entries(DISKS) : []) {
      const disk = await smallDisk(join(path, folder), size);
      if (disk !== null) disks.push(disk);
    }
    const proxy = await FaultProxy.start(() => readState(path)?.ports.s3 ?? null, random);
    return new ChaosHome(path, proxy, disks);
  }

  get hasDisks(): boolean {
    return this.#disks.length > 0;
  }

  /** A command as a person gives it; a stack that it starts is the one with the proxy. */
  command(args: readonly string[]): Promise<CliAnswer> {
    return partloop(this.path, args, { environment: environmentThrough(this.proxy.url) });
  }

  json(args: readonly string[]): Promise<unknown> {
    return partloopJson(this.path, args, { environment: environmentThrough(this.proxy.url) });
  }

  /** The stack runs. One start at a time; each call checks again, since earlier processes may be gone by then. */
  up(): Promise<void> {
    this.#rising = this.#rising.catch(() => undefined).then(() => this.#up());
    return this.#rising;
  }

  async #up(): Promise<void> {
    const { code, stderr } = await this.command(['up', '--detach']);
    if (code !== 0) throw new Error(`the stack in ${this.path} does not start: ${stderr}`);
  }

  /** The process of a victim; null if it does not run. */
  async process(victim: Victim): Promise<ProcessRef | null> {
    const state = readState(this.path);
    const found =
      victim === 'supervisor'
        ? state?.supervisor
        : state?.processes[victim === 'trainer' ? 'worker-train' : victim]?.process;
    if (!isAlive(found)) return null;
    return victim === 'trainer' ? descendant(found.pid, /partloop_trainer/) : found;
  }

  /** The store, past the proxy. */
  store(): Promise<ObjectStore> {
    return storeOfHome(this.path);
  }

  /** Talk to the Temporal server; a frozen one is given up after some seconds. */
  async withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const state = readState(this.path);
    if (state === null) throw new Error(`no stack was started in ${this.path}`);
    const address = `127.0.0.1:${state.ports.temporal}`;
    if (this.#client?.address !== address) {
      await this.#client?.connection.close();
      const connection = Connection.lazy({ address });
      this.#client = { address, connection, client: new Client({ connection, namespace: LOCAL_NAMESPACE }) };
    }
    const { client } = this.#client;
    return client.withDeadline(Date.now() + CALL_MS, () => work(client));
  }

  /** Fill a disk to the last byte; the answer empties it. */
  async fillDisk(folder: keyof typeof DISKS): Promise<() => Promise<void>> {
    const filler = join(homePaths(this.path)[folder], '.filler');
    for (const size of [1 << 20, 1 << 12]) {
      try {
        for (;;) await writeFile(filler, Buffer.alloc(size, 1), { flag: 'a' });
      } catch {
        // Full: smaller pieces may still fit.
      }
    }
    return () => rm(filler, { force: true });
  }

  /**
   * End everything at once, by the ids of processes, and take the folders away, or move what is worth a look to `kept`.
   */
  async remove(kept: string | null = null): Promise<void> {
    await this.#rising.catch(() => undefined);
    const state = readState(this.path);
    const supervisor = state?.supervisor;
    if (isAlive(supervisor)) {
      for (const { process } of Object.values(state?.processes ?? {}))
        if (isAlive(process)) signalProcess(process, 'SIGCONT');
      signalProcess(supervisor, 'SIGCONT');
      signalProcess(supervisor, FORCE_SIGNAL);
      // Its children end with it.
      if (!(await waitForEnd(supervisor, 4_000))) signalProcess(supervisor, 'SIGKILL');
    }
    await this.#untilAllEnded();
    await this.#client?.connection.close();
    await this.proxy.stop();
    for (const disk of this.#disks) await disk.remove().catch(() => undefined);
    const gone = kept === null ? [this.path] : Object.keys(DISKS).map((folder) => join(this.path, folder));
    for (const path of gone) await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    if (kept !== null) await rename(this.path, kept);
  }

  /** A trainer whose worker was killed notices that a moment later. */
  async #untilAllEnded(): Promise<void> {
    for (const deadline = Date.now() + ALL_ENDED_MS; Date.now() < deadline; await sleep(200))
      if ((await processesOf(this.path)).length === 0) return;
  }
}
