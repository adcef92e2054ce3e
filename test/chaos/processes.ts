import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type ProcessRef, refOf } from '../../infra/processes/processes.js';

const run = promisify(execFile);

/** Command lines of processes that name the folder or were started with it in their environment. */
export async function processesOf(folder: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=']);
  const found: string[] = [];
  for (const pid of stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== String(process.pid))) {
    const [command, environment] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
      readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
    ]);
    if (command.includes(folder) || environment.includes(folder)) found.push(`${pid} ${command.replaceAll('\0', ' ')}`);
  }
  return found;
}

/** The newest process below `ancestor` whose command line matches; null if there is none. */
export async function descendant(ancestor: number, command: RegExp): Promise<ProcessRef | null> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid=,args=']);
  const parents = new Map<number, number>();
  const matching: number[] = [];
  for (const line of stdout.split('\n')) {
    const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    parents.set(Number(pid), Number(parent));
    if (args !== undefined && command.test(args)) matching.push(Number(pid));
  }
  const isBelow = (pid: number): boolean => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at)) if (at === ancestor) return true;
    return false;
  };
  const newest = matching.filter(isBelow).at(-1);
  return newest === undefined ? null : refOf(newest);
}
