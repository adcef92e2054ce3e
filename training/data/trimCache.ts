import { statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { readVariables } from '../../domain/settings/variables.js';

/** Files between two turns of other work. */
const AT_ONCE = 500;

/**
 * Delete the least recently used files of the cache under `home` until it is within its limit; `used` files, by path,
 * stay. Of those nothing but their size is kept, since a large training set has hundreds of thousands.
 */
export async function trimCache(home: string, used: ReadonlySet<string>): Promise<void> {
  const limit = readVariables(process.env).PARTLOOP_CACHE_GB * 1e9;
  const unused: { path: string; size: number; usedAt: number }[] = [];
  let total = 0;
  let seen = 0;
  for await (const path of filesUnder(join(home, 'cache'))) {
    // A wait for the disk's threads takes longer than the answer.
    const facts = statSync(path, { throwIfNoEntry: false });
    if (++seen % AT_ONCE === 0) await yieldToOthers();
    if (facts === undefined) continue;
    total += facts.size;
    if (!used.has(path)) unused.push({ path, size: facts.size, usedAt: facts.mtimeMs });
  }
  for (const file of unused.sort((a, b) => a.usedAt - b.usedAt)) {
    if (total <= limit) return;
    await rm(file.path, { force: true });
    total -= file.size;
  }
}

async function* filesUnder(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else if (entry.isFile()) yield path;
  }
}
