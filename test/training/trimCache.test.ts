import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trimCache } from '../../training/data/trimCache.js';

const HOME = mkdtempSync(join(tmpdir(), 'pl-trim-'));
const LIMIT = process.env.PARTLOOP_CACHE_GB;
after(() => {
  if (LIMIT === undefined) delete process.env.PARTLOOP_CACHE_GB;
  else process.env.PARTLOOP_CACHE_GB = LIMIT;
  rmSync(HOME, { recursive: true, force: true });
});

describe('the cache of images on this disk', () => {
  it('loses the files that were used longest ago, and none of the present run', async () => {
    const folder = join(HOME, 'cache', 'pools', 'cars');
    mkdirSync(folder, { recursive: true });
    // Files with holes: they take no room on the disk.
    process.env.PARTLOOP_CACHE_GB = '1';
    const path = (n: number): string => join(folder, `${n}.png`);
    for (const n of [1, 2, 3, 4]) {
      writeFileSync(path(n), '');
      truncateSync(path(n), 400e6);
      utimesSync(path(n), n, n);
    }
    await trimCache(HOME, new Set([path(1)]));
    assert.deepEqual(readdirSync(folder).sort(), ['1.png', '4.png']);
    await trimCache(HOME, new Set());
    assert.deepEqual(readdirSync(folder).sort(), ['1.png', '4.png'], 'they are within the limit');
  });
});
