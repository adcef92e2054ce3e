import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, from the compiled place of this file. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** A program that the bootstrap installed into `.venv`. */
export function venvBinary(name: string): string {
  const path = join(ROOT, '.venv', 'bin', name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run bootstrap\``);
  return path;
}
