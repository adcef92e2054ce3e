import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { makeScratchFolder } from '../../storage/scratch.js';

describe('a folder for one piece of work', () => {
  let place: string;

  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'pl-'));
  });
  afterEach(() => rm(place, { recursive: true, force: true }));

  /** A folder such as `made` is, of another process. */
  async function leftBy(pid: number, made: string): Promise<string> {
    const path = join(place, basename(made).replace(`-${process.pid}-`, `-${pid}-`));
    await mkdir(path);
    await writeFile(join(path, 'large'), 'bytes');
    return path;
  }

  it('goes with all that is in it', async () => {
    const folder = await makeScratchFolder('drop', place);
    await writeFile(join(folder.path, 'large'), 'bytes');
    await folder.remove();
    assert.deepEqual(await readdir(place), []);
  });

  it('is removed by the next process if its own was killed', async () => {
    const first = await makeScratchFolder('drop', place);
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    const left = await leftBy(ended, first.path);
    const other = await makeScratchFolder('coco', place);
    assert.ok(existsSync(left), 'it is of another kind');
    const second = await makeScratchFolder('drop', place);
    assert.equal(existsSync(left), false);
    assert.ok([first, second, other].every(({ path }) => existsSync(path)));
  });

  it('stays as long as its process runs, and if it is of another host', async () => {
    const first = await makeScratchFolder('drop', place);
    const living = await leftBy(process.ppid, first.path);
    const foreign = join(place, 'partloop-drop-some.other.host-1-abcdef');
    await mkdir(foreign);
    await makeScratchFolder('drop', place);
    assert.ok([first.path, living, foreign].every((path) => existsSync(path)));
  });

  it('is removed if the process of the same number was another one', async () => {
    const first = await makeScratchFolder('drop', place);
    await first.remove();
    await mkdir(first.path);
    const second = await makeScratchFolder('drop', place);
    assert.deepEqual(await readdir(place), [basename(second.path)]);
  });
});
