import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { partloop } from '../support/cli.js';
import { type SmallDisk, smallDisk } from '../support/servers/smallDisk.js';

describe('a home on a full disk', function () {
  this.timeout(150_000);
  let home: string;
  let disk: SmallDisk | null;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-full-'));
    disk = await smallDisk(home, '64k');
  });
  after(async () => {
    await disk?.remove();
    await rm(home, { recursive: true, force: true });
  });

  it('is named as the reason why no stack starts there', async function () {
    if (disk === null) this.skip();
    const { code, stderr } = await partloop(home, ['up', '--detach']);
    assert.equal(code, 6, stderr);
    assert.match(stderr, /the local stack did not start: the disk of .*partloop-full-\w+ is full, 0\.\d MB are free/);
  });
});
