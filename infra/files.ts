import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Write by temporary name and rename, so that a reader never sees half a file. */
export function writeWhole(path: string, body: string, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, body, { mode });
  renameSync(temporary, path);
}

/** The text of a file, or null if there is none. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}
