import { readFileSync } from 'node:fs';

/** Clock ticks a second, as Linux tells processor time. */
const TICKS = 100;
/** Fields of `/proc/PID/stat` behind the command's name, which stands in parentheses and may contain spaces. */
const [USER, SYSTEM] = [11, 12];

/** Largest memory that a process has held so far (VmHWM); 0 if it is gone. Linux alone, as all of this file. */
export const peakMegabytes = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(read(`${pid}/status`))?.[1] ?? 0) / 1_024;

/** Memory that a process holds now (VmRSS); 0 if it is gone. */
export const residentMegabytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`${pid}/status`))?.[1] ?? 0) / 1_024;

/** Seconds of a core, user and system, that a process has taken; null if it is gone. */
export function coreSecondsOf(pid: number): number | null {
  const stat = read(`${pid}/stat`);
  if (stat === '') return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER]) + Number(fields[SYSTEM])) / TICKS;
}

/** Processes that a process has started and that run. */
export const childrenOf = (pid: number): number[] =>
  read(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);

function read(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
