import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const shared = process.env.PARTLOOP_SHARED ?? resolve('..', 'shared', 'data');

/**
 * Folder of the DSMLR test photos with `JPEGImages` and `annotations.json`; null, said aloud, where they are absent.
 */
export function dsmlrTestSet(): string | null {
  const folder = join(shared, 'dsmlr-car-parts', 'testset');
  if (existsSync(folder)) return folder;
  console.log(`      skipped: no DSMLR Car Parts data in ${shared} (PARTLOOP_SHARED)`);
  return null;
}
