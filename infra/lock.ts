import { linkSync, renameSync, rmSync } from 'node:fs';
import { PartloopError } from '../domain/errors.js';
import { readIfThere, writeWhole } from './files.js';
import { isAlive, type ProcessRef, processRef, refOf } from './processes.js';

/**
 * Take the lock file for this process. Returns null when it is ours, else the living process that holds it. The lock of
 * a process that has died is taken over.
 */
export function takeLock(path: string): ProcessRef | null {
  const own = refOf(process.pid);
  if (own === null) throw new PartloopError('internal', 'this process cannot see its own start time');
  const candidate = `${path}.${process.pid}`;
  writeWhole(candidate, JSON.stringify(own));
  try {
    for (;;) {
      try {
        linkSync(candidate, path);
        return null;
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
      const holder = holderOf(path);
      if (isAlive(holder)) return holder;
      setAside(path);
    }
  } finally {
    rmSync(candidate, { force: true });
  }
}

export function releaseLock(path: string): void {
  if (holderOf(path)?.pid === process.pid) rmSync(path, { force: true });
}

function holderOf(path: string): ProcessRef | null {
  try {
    return processRef.parse(JSON.parse(readIfThere(path) ?? 'null'));
  } catch {
    return null;
  }
}

function setAside(path: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  rmSync(aside, { force: true });
}
