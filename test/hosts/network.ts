import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/binaries.js';

const run = promisify(execFile);

/** Networks that join the hosts: one to each service, so that a host can lose the one and keep the other. */
export const NETWORKS = ['temporal', 'store'] as const;
export type NetworkName = (typeof NETWORKS)[number];

const READY = 'echo ready; exec sleep infinity';
/** Ends a program together with this process, however that ends. */
const GUARD = ['setpriv', '--pdeathsig', 'KILL'];

/** A machine as far as the network goes: it has a name and one card in each network. */
export interface Host {
  readonly name: string;
  readonly index: number;
  readonly holder: ChildProcess;
}

/**
 * Hosts on one machine: each is a network namespace with a name of its own, all joined by bridges in a namespace beside
 * the machine's. Nothing touches the machine's interfaces. A namespace lives as long as the process that holds it, and
 * that dies with this one: there is nothing to take away, also after a crash.
 */
export class HostNetwork {
  readonly #hosts: Host[] = [];
  #added = 0;

  private constructor(
    private readonly asRoot: boolean,
    private readonly outer: ChildProcess,
  ) {}

  /** Null, with a message, if making namespaces is not permitted. */
  static async make(): Promise<HostNetwork | null> {
    const asRoot = process.getuid?.() === 0;
    const bridges = NETWORKS.flatMap((name, n) => [
      `ip link add ${name} type bridge forward_delay 0`,
      `ip link set ${name} address ${bridgeAddress(n)} up`,
      `ip address add ${serviceAddress(name)}/24 dev ${name}`,
    ]);
    const script = ['set -e', 'ip link set lo up', ...bridges, READY].join('\n');
    const unshare = ['unshare', '--net', ...(asRoot ? [] : ['--user', '--map-root-user'])];
    try {
      return new HostNetwork(asRoot, await holding([...unshare, ...GUARD, 'sh', '-c', script]));
    } catch (error) {
      console.log(`      making network namespaces is not permitted here: ${reasonOf(error)}`);
      return null;
    }
  }

  async addHost(name: string): Promise<Host> {
    const index = this.#added++;
    const script = ['set -e', `hostname ${name}`, 'ip link set lo up', READY].join('\n');
    const command = [...this.#enter(this.outer), 'unshare', '--net', '--uts', ...GUARD, 'sh', '-c', script];
    const host: Host = { name, index, holder: await holding(command) };
    this.#hosts.push(host);
    for (const [n, network] of NETWORKS.entries()) {
      await this.#outside('ip', 'link', 'add', portOf(host, n), 'type', 'veth', 'peer', network, 'netns', pidOf(host));
      await this.#outside('ip', 'link', 'set', portOf(host, n), 'master', network, 'up');
      await this.#inside(host, 'ip', 'address', 'add', `10.${n}.0.${10 + index}/24`, 'dev', network);
      await this.#inside(host, 'ip', 'link', 'set', network, 'up');
      // A cut is silence, as behind a router: without this, requests would fail for want of a neighbour.
      const known = ['lladdr', bridgeAddress(n), 'dev', network, 'nud', 'permanent'];
      await this.#inside(host, 'ip', 'neigh', 'replace', serviceAddress(network), ...known);
    }
    return host;
  }

  /** From now on nothing passes in either direction, and no side is notified. */
  async cutOff(host: Host, networks: readonly NetworkName[] = NETWORKS): Promise<void> {
    for (const network of networks)
      await this.#outside('ip', 'link', 'set', portOf(host, NETWORKS.indexOf(network)), 'nomaster');
  }

  async heal(host: Host): Promise<void> {
    for (const [n, network] of NETWORKS.entries())
      await this.#outside('ip', 'link', 'set', portOf(host, n), 'master', network);
  }

  /** Arguments that run a program on a host; it ends with this process. */
  on(host: Host, command: readonly string[]): string[] {
    return [...this.#enter(host.holder), '--uts', ...GUARD, ...command];
  }

  /** A server that this process accepts for, at a service's address in the network of that name. */
  async listen(network: NetworkName, port: number): Promise<Server> {
    const main = join(ROOT, 'dist', 'test', 'hosts', 'listenMain.js');
    const command = [...this.#enter(this.outer), process.execPath, main, serviceAddress(network), String(port)];
    const [program = '', ...args] = command;
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return new Promise((resolve, reject) => {
      child.once('message', (_, handle) => {
        // The socket lives on in this process, in the namespace where it was made.
        child.removeAllListeners('exit').kill('SIGKILL');
        if (handle instanceof Server) resolve(handle);
        else reject(new Error('no server came'));
      });
      child.once('exit', (code) =>
        reject(new Error(`no server at ${serviceAddress(network)}:${port}: exit code ${code}`)),
      );
    });
  }

  /** End the namespaces; programs that still run in them keep theirs until they end. */
  async remove(): Promise<void> {
    for (const holder of [...this.#hosts.map((host) => host.holder), this.outer]) {
      if (holder.exitCode !== null || holder.signalCode !== null) continue;
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
  }

  #enter(holder: ChildProcess): string[] {
    const user = this.asRoot ? [] : ['--user', '--preserve-credentials'];
    return ['nsenter', '--target', String(holder.pid), ...user, '--net'];
  }

  async #outside(...command: string[]): Promise<void> {
    const [program = '', ...args] = [...this.#enter(this.outer), ...command];
    await run(program, args);
  }

  async #inside(host: Host, ...command: string[]): Promise<void> {
    const [program = '', ...args] = [...this.#enter(host.holder), ...command];
    await run(program, args);
  }
}

/** The address of a service for the hosts. */
export const serviceAddress = (network: NetworkName): string => `10.${NETWORKS.indexOf(network)}.0.1`;

const bridgeAddress = (n: number): string => `02:00:00:00:0${n}:01`;
const portOf = ({ index }: Host, n: number): string => `port-${n}-${index}`;
const pidOf = ({ holder }: Host): string => String(holder.pid);

/** Start a program that holds a namespace, and wait until that is set up. */
async function holding([program = '', ...args]: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(said.trim() || `${program} ended with ${code}`)));
    child.stdout.once('data', () => resolve());
  });
  child.removeAllListeners('exit');
  return child;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
