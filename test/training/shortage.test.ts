import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { runTrainer } from '../../training/process/process.js';
import { trainerFailure } from '../../training/process/trainerEnd.js';
import { type SmallDisk, smallDisk } from '../support/servers/smallDisk.js';
import { attended } from './attended.js';
import { hasCode, python, script, tinyRun, train } from './tinyRun.js';

describe('a training that lacks disk or memory', function () {
  this.timeout(240_000);
  let home: string;
  let interpreter: string | undefined;
  let disk: SmallDisk | null = null;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-shortage-'));
    interpreter = process.env.PARTLOOP_PYTHON;
  });
  afterEach(async () => {
    if (interpreter === undefined) delete process.env.PARTLOOP_PYTHON;
    else process.env.PARTLOOP_PYTHON = interpreter;
    await disk?.remove();
    disk = null;
    await rm(home, { recursive: true, force: true });
  });

  it('names the disk that is too small for its images, gives up at the second try, then resumes', async function () {
    disk = await smallDisk(join(home, 'disk'), '16k');
    if (disk === null || !existsSync(python)) this.skip();
    const run = await tinyRun();
    await assert.rejects(train(run, join(home, 'disk')), (error: unknown) => {
      assert.ok(hasCode('disk-full')(error) && error instanceof PartloopError);
      assert.match(
        error.message,
        /the disk of \S+disk is full: copies of \d+ more images are wanted, \d\S* \S+ are free/,
      );
      assert.match(error.hint ?? '', /PARTLOOP_HOME/);
      return true;
    });
    await assert.rejects(train(run, join(home, 'disk')), (error: unknown) => {
      assert.ok(hasCode('no-progress')(error) && error instanceof PartloopError);
      assert.match(
        `${error.message} ${error.hint}`,
        /disk of .* is full.*PARTLOOP_HOME.*Then `partloop loop retry tiny`/s,
      );
      return true;
    });
    await disk.resize('1g');
    await train({ ...run, ...attended('second request') }, join(home, 'disk'));
  });

  it('names the full disk if pictures lie on a disk of their own', async function () {
    disk = await smallDisk(join(home, 'cache'), '16k');
    if (disk === null || !existsSync(python)) this.skip();
    const run = await tinyRun();
    await assert.rejects(train(run, home), (error: unknown) => {
      assert.ok(hasCode('disk-full')(error) && error instanceof PartloopError);
      assert.match(error.message, /the disk of \S+cache is full: copies of .*, \d\S* (bytes|kB) are free/);
      return true;
    });
  });

  it('names the disk that is too small for its checkpoint, with both sizes', async function () {
    disk = await smallDisk(join(home, 'disk'), '8m');
    if (disk === null || !existsSync(python)) this.skip();
    const run = await tinyRun();
    await assert.rejects(train(run, join(home, 'disk')), (error: unknown) => {
      assert.ok(hasCode('disk-full')(error));
      assert.match(String(error), /checkpoint of iteration \d needs \S+ MB, \S+ [kM]B are free/);
      return true;
    });
    await disk.resize('1g');
    await train(run, join(home, 'disk'));
  });

  it('says that the kernel killed it for lack of memory, with its use and its limit', async function () {
    const group = await controlGroup(300 * 2 ** 20);
    if (group === null || !existsSync(python)) this.skip();
    try {
      process.env.PARTLOOP_PYTHON = await script(home, `echo $$ > ${group}/cgroup.procs; exec ${python} "$@"`);
      await assert.rejects(train(await tinyRun(), home), (error: unknown) => {
        assert.ok(hasCode('out-of-memory')(error) && error instanceof PartloopError, String(error));
        assert.match(error.message, /kernel killed the trainer: it held up to \d\S* MB, .*may hold 314\.6 MB/);
        assert.match(error.hint ?? '', /more memory.*train\.batchSize/);
        return true;
      });
    } finally {
      await rmdir(group);
    }
  });

  for (const [version, folder, kills, limit] of [
    ['2', 'sys/fs/cgroup/pod', 'memory.events', 'memory.max'],
    ['1', 'sys/fs/cgroup/memory/pod', 'memory.oom_control', 'memory.limit_in_bytes'],
  ] as const) {
    it(`distinguishes a kill for lack of memory from others by control groups of version ${version}`, async () => {
      const counter = join(home, folder, kills);
      await mkdir(join(home, folder), { recursive: true });
      await mkdir(join(home, 'proc/self'), { recursive: true });
      await writeFile(join(home, 'proc/self/cgroup'), version === '2' ? '0::/pod\n' : '4:memory:/pod\n');
      await writeFile(join(home, folder, limit), '1500000000\n');
      await writeFile(join(home, 'proc/meminfo'), 'MemTotal: 8000000 kB\nMemAvailable: 100 kB\n');
      const ended = async (body: string) => {
        await writeFile(counter, 'low 0\noom_kill 3\n');
        const [systemRoot, signal] = [home, new AbortController().signal];
        const job = join(home, 'job.json');
        const common = {
          job,
          cwd: home,
          packageRoot: home,
          network: false,
          stallMs: 60_000,
          graceMs: 1,
          systemRoot,
          signal,
        };
        return trainerFailure(await runTrainer({ ...common, python: await script(home, body), onMessage: () => {} }));
      };
      const byKernel = await ended(`sleep 0.3; printf 'oom_kill 4\\n' > ${counter}; kill -9 $$`);
      assert.equal(byKernel?.code, 'out-of-memory');
      assert.match(byKernel?.message ?? '', /its control group \(container\) may hold 1\.5 GB/);
      assert.equal((await ended('kill -9 $$'))?.code, 'trainer-failed');
      assert.equal((await ended(`sleep 0.3; printf 'oom_kill 4\\n' > ${counter}; exit 70`))?.code, 'trainer-failed');
    });
  }
});

/** A control group of its own with little memory; null, with a message, if none may be made. */
async function controlGroup(bytes: number): Promise<string | null> {
  const name = `partloop-test-${process.pid}`;
  for (const [base, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ] as const) {
    const folder = join(base, name);
    try {
      await mkdir(folder);
      await writeFile(join(folder, limit), String(bytes));
      return folder;
    } catch {
      await rmdir(folder).catch(() => undefined);
    }
  }
  console.log('      making a control group with a limit of memory is not permitted here');
  return null;
}
