import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeText } from '../room.js';

const SAMPLE_MS = 1_000;
/** Files that count kills in control groups of either version. */
const COUNTERS = ['memory.events', 'memory.oom_control'];
/** Control groups without a limit report a number near 2^63. */
const NO_LIMIT = 2 ** 60;

/**
 * Memory of a process and its children, and whether the kernel has killed for lack of memory. Only Linux reports that.
 */
export class MemoryWatch {
  private readonly timer: NodeJS.Timeout;
  /** Counters of kills by file, at their first reading. */
  private readonly before = new Map<string, number>();
  private readonly groups = new Set<string>();
  private sampling: Promise<void>;
  private peak = 0;

  /** @param root folder of `proc` and `sys` */
  constructor(
    private readonly pid: number,
    private readonly root = '/',
  ) {
    this.sampling = this.sample();
    this.timer = setInterval(() => {
      this.sampling = this.sampling.then(() => this.sample());
    }, SAMPLE_MS);
    this.timer.unref();
  }

  end(): void {
    clearInterval(this.timer);
  }

  /** If the kernel killed for lack of memory since the start: used and total memory, in words; otherwise null. */
  async shortage(): Promise<string | null> {
    await this.sampling;
    const now = await Promise.all([...this.before].map(async ([file, before]) => (await this.kills(file)) > before));
    if (!now.includes(true)) return null;
    const held = this.peak === 0 ? '' : `it held up to ${sizeText(this.peak)}, `;
    return `${held}${(await this.limit()) ?? 'the machine had no more'}`;
  }

  private async sample(): Promise<void> {
    this.peak = Math.max(this.peak, await this.held(this.pid));
    for (const pid of ['self', this.pid]) for (const folder of await this.groupsOf(pid)) this.groups.add(folder);
    const files = [...this.groups].flatMap((folder) => COUNTERS.map((name) => join(folder, name)));
    for (const file of ['proc/vmstat', ...files])
      if (!this.before.has(file)) this.before.set(file, await this.kills(file));
  }

  private async held(pid: number): Promise<number> {
    const rss = number(await this.read(`proc/${pid}/status`), /VmRSS:\s+(\d+)/) ?? 0;
    const children = (await this.read(`proc/${pid}/task/${pid}/children`)).split(' ').filter(Boolean).map(Number);
    const held = await Promise.all(children.map((child) => this.held(child)));
    return held.reduce((sum, bytes) => sum + bytes, rss * 1024);
  }

  /** Number of kills for lack of memory in a file. */
  private async kills(file: string): Promise<number> {
    return number(await this.read(file), /^oom_kill (\d+)/m) ?? 0;
  }

  private async limit(): Promise<string | null> {
    const limits: number[] = [];
    for (const folder of this.groups) {
      for (const name of ['memory.max', 'memory.limit_in_bytes']) {
        const bytes = number(await this.read(join(folder, name)), /^(\d+)/);
        if (bytes !== null && bytes < NO_LIMIT) limits.push(bytes);
      }
    }
    const total = (number(await this.read('proc/meminfo'), /MemTotal:\s+(\d+)/) ?? 0) * 1024;
    const limit = Math.min(...limits, Number.POSITIVE_INFINITY);
    if (limit < total || total === 0)
      return Number.isFinite(limit) ? `its control group (container) may hold ${sizeText(limit)}` : null;
    const left = (number(await this.read('proc/meminfo'), /MemAvailable:\s+(\d+)/) ?? 0) * 1024;
    return `the machine has ${sizeText(total)}, of which ${sizeText(left)} are free now`;
  }

  /** Folders of the control group of a process, of either version; inside a container its own group is the root. */
  private async groupsOf(pid: number | string): Promise<string[]> {
    const lines = (await this.read(`proc/${pid}/cgroup`)).split('\n').map((line) => line.split(':'));
    const at = (base: string, path = '/'): string[] => [...new Set([join(base, path), base])];
    return lines.flatMap(([, controllers, path]) => {
      if (controllers === '') return at('sys/fs/cgroup', path);
      return controllers?.split(',').includes('memory') ? at('sys/fs/cgroup/memory', path) : [];
    });
  }

  private read(path: string): Promise<string> {
    return readFile(join(this.root, path), 'utf8').catch(() => '');
  }
}

function number(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
