import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { homePaths, venvBinary } from '../../infra/home.js';
import { PORT_NAMES, type PortName } from '../../infra/ports.js';
import { makeTestHome, partloop, processOf, stateOf } from './home.js';

const run = promisify(execFile);
const WEB_PORTS = PORT_NAMES.filter((name) => !name.startsWith('temporal'));

describe('the local S3 server', function () {
  this.timeout(90_000);
  let home: string;
  let remove: () => Promise<void>;

  before(async () => {
    ({ home, remove } = await makeTestHome());
    const { code, stderr } = await partloop(home, {}, 'up', '--detach');
    assert.equal(code, 0, stderr);
  });

  after(async () => {
    await partloop(home, {}, 'down', '--force');
    await remove();
  });

  it('takes no write without a signature on any port, by any way that its parts offer', async () => {
    for (const name of WEB_PORTS) {
      const base = `http://127.0.0.1:${stateOf(home).ports[name]}`;
      const form = (): FormData => {
        const data = new FormData();
        data.set('file', new Blob(['x']), 'x.txt');
        return data;
      };
      const tries: [string, RequestInit][] = [
        ['/partloop/evil', { method: 'PUT', body: 'x' }],
        ['/evil', { method: 'PUT', body: 'x' }],
        ['/buckets/partloop/evil', { method: 'PUT', body: 'x' }],
        ['/buckets/partloop/evil', { method: 'POST', body: form() }],
        ['/submit', { method: 'POST', body: form() }],
        ['/1,0123456789', { method: 'POST', body: form() }],
        ['/partloop', { method: 'DELETE' }],
        ['/buckets/partloop', { method: 'DELETE' }],
        ['/dir/assign', { method: 'POST' }],
        ['/col/delete?collection=partloop', { method: 'POST' }],
      ];
      for (const [path, init] of tries)
        assert.equal(await isTaken(base + path, init), false, `${name}: ${init.method} ${path}`);
    }
  });

  it('shows its objects to nobody without a signature', async () => {
    const { s3, filer } = stateOf(home).ports;
    for (const url of [`http://127.0.0.1:${s3}/partloop`, `http://127.0.0.1:${filer}/buckets/partloop/`]) {
      assert.equal(await isTaken(url, { method: 'GET' }), false, url);
    }
  });

  it('answers no gRPC call that does not show its certificate', async () => {
    const { master, masterGrpc, filer, filerGrpc } = stateOf(home).ports;
    const servers = [`-master=127.0.0.1:${master}.${masterGrpc}`, `-filer=127.0.0.1:${filer}.${filerGrpc}`];
    const listed = async (config: string): Promise<string> => {
      const shell = run(venvBinary('weed'), [`-config_dir=${config}`, 'shell', ...servers], {
        timeout: 4000,
        cwd: home,
      });
      shell.child.stdin?.end('fs.ls /buckets\nexit\n');
      return shell.then(
        ({ stdout }) => stdout,
        (error: { stdout?: string }) => error.stdout ?? '',
      );
    };
    assert.match(await listed(join(homePaths(home).seaweed, 'config')), /partloop/);
    assert.doesNotMatch(await listed(homePaths(home).logs), /partloop/);
  });

  it('listens on 127.0.0.1 alone', function () {
    const listening = listeningSockets(processOf(home, 's3').pid);
    if (listening === null) return this.skip();
    assert.ok(listening.length > 0);
    for (const address of listening) assert.equal(address, '0100007F');
    const known = new Set<number>(WEB_PORTS.map((name: PortName) => stateOf(home).ports[name]));
    for (const port of listeningPorts(processOf(home, 's3').pid))
      assert.ok(known.has(port), `port ${port} is not one of ours`);
  });
});

/** Whether the server did what was asked: any answer of the 200s. No answer, or not HTTP, is a refusal. */
async function isTaken(url: string, init: RequestInit): Promise<boolean> {
  try {
    const answer = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(5000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

interface Listener {
  address: string;
  port: number;
}

/** TCP sockets in state LISTEN of one process, as /proc writes them; null where there is no /proc. */
function listenersOf(pid: number): Listener[] | null {
  if (process.platform !== 'linux') return null;
  const inodes = new Set(socketInodes(pid));
  return ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
      .map((fields) => {
        const [address = '', port = '0'] = (fields[1] ?? '').split(':');
        return { address, port: Number.parseInt(port, 16) };
      }),
  );
}

const listeningSockets = (pid: number): string[] | null => listenersOf(pid)?.map(({ address }) => address) ?? null;
const listeningPorts = (pid: number): number[] => listenersOf(pid)?.map(({ port }) => port) ?? [];

function socketInodes(pid: number): string[] {
  return readdirLinks(`/proc/${pid}/fd`).flatMap((target) => target.match(/^socket:\[(\d+)\]$/)?.[1] ?? []);
}

function readdirLinks(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)];
    } catch {
      return [];
    }
  });
}
