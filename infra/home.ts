import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, from the compiled place of this file (dist/infra). */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Where the local stack keeps its state: `.partloop/` in the checkout, or `PARTLOOP_HOME`. */
export function partloopHome(): string {
  const asked = process.env.PARTLOOP_HOME;
  return asked === undefined || asked === '' ? join(ROOT, '.partloop') : resolve(asked);
}

/** The files and folders of the local stack below its home. */
export function homePaths(home: string) {
  return {
    state: join(home, 'state.json'),
    lock: join(home, 'supervisor.lock'),
    credentials: join(home, 'credentials.json'),
    logs: join(home, 'logs'),
    temporalDatabase: join(home, 'temporal.db'),
    temporalConfig: join(home, 'temporal.toml'),
    seaweed: join(home, 'seaweed'),
  };
}

/** Make the home, readable by its owner alone: it holds credentials and the data of the local S3 server. */
export function makeHome(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  mkdirSync(homePaths(home).logs, { recursive: true, mode: 0o700 });
}

/** A program that the bootstrap installed into `.venv`. */
export function venvBinary(name: string): string {
  return join(ROOT, '.venv', 'bin', name);
}
