import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PartloopError } from '../domain/base/errors.js';
import { readVariables } from '../domain/settings/variables.js';

/** The checkout, from the compiled place of this file (dist/infra). */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Folder of the local stack's state: `.partloop/` in the checkout, or `PARTLOOP_HOME`. */
export function partloopHome(): string {
  const asked = readVariables(process.env).PARTLOOP_HOME;
  return asked === undefined ? join(ROOT, '.partloop') : resolve(asked);
}

/** The files and folders of the local stack below its home. */
export function homePaths(home: string) {
  return {
    state: join(home, 'state.json'),
    lock: join(home, 'supervisor.lock'),
    launchLock: join(home, 'launch.lock'),
    credentials: join(home, 'credentials.json'),
    logs: join(home, 'logs'),
    temporalDatabase: join(home, 'temporal.db'),
    temporalConfig: join(home, 'temporal.toml'),
    seaweed: join(home, 'seaweed'),
    cache: join(home, 'cache'),
    work: join(home, 'work'),
    reports: join(home, 'reports'),
    demo: join(home, 'demo'),
  };
}

const OURS_ALONE = { file: 0o600, folder: 0o700 } as const;
const FOLDERS = ['logs', 'seaweed', 'cache', 'work', 'reports', 'demo'] as const;
const FILES = ['state', 'lock', 'launchLock', 'credentials', 'temporalDatabase', 'temporalConfig'] as const;
/** SQLite keeps these beside its database. */
const DATABASE_SUFFIXES = ['', '-wal', '-shm', '-journal'];

/**
 * Make the home and its folders. Only the owner may read our files, even in a folder that others may read and that
 * keeps its own mode: they include credentials, histories, logs, pictures and labels. Files that an earlier version
 * left open are closed.
 */
export function makeHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: OURS_ALONE.folder });
    const paths = homePaths(home);
    for (const name of FOLDERS) {
      mkdirSync(paths[name], { recursive: true, mode: OURS_ALONE.folder });
      close(paths[name], OURS_ALONE.folder);
    }
    for (const name of FILES) for (const suffix of DATABASE_SUFFIXES) close(paths[name] + suffix, OURS_ALONE.file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PartloopError('setup-incomplete', `${home} cannot hold the state of partloop: ${reason}`, {
      cause,
      hint: 'Set PARTLOOP_HOME to a folder of your own.',
    });
  }
}

function close(path: string, mode: number): void {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts !== undefined && (facts.mode & 0o777 & ~mode) !== 0) chmodSync(path, mode);
}

/** A program that the bootstrap installed into `.venv`. */
export function venvBinary(name: string): string {
  return join(ROOT, '.venv', 'bin', name);
}
