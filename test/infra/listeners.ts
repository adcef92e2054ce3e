import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Listener {
  address: string;
  port: number;
}

/** TCP sockets in state LISTEN of one process, as /proc writes them; null if there is no /proc. */
export function listenersOf(pid: number): Listener[] | null {
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

export const listeningSockets = (pid: number): string[] | null =>
  listenersOf(pid)?.map(({ address }) => address) ?? null;
export const listeningPorts = (pid: number): number[] => listenersOf(pid)?.map(({ port }) => port) ?? [];

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
