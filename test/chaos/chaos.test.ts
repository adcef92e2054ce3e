import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './faults/fault.js';
import { faultOf } from './faults/index.js';
import type { Injector } from './injector.js';
import { SMALLEST } from './loop.js';
import { newJournal, runChaos } from './run.js';

describe('a loop whose workers, servers and store fail', function () {
  this.timeout(15 * 60_000);

  it('has the same picks, findings, weights and decision as an undisturbed one, and leaves no process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chaos-journal-'));
    try {
      const { undisturbed, loops, leftBehind } = await runChaos({
        ...{ size: SMALLEST, seed: 1, faults: [], journal: newJournal(folder, 1, () => {}) },
        signal: new AbortController().signal,
        goesOn: (rounds) => rounds === 0,
        disturb: oneAfterTheOther,
      });
      const [loop] = loops;
      assert.equal(loop?.injected.filter(({ did }) => did !== null).length, 6, JSON.stringify(loop));
      assert.deepEqual(loop?.differences, []);
      assert.deepEqual(loop?.outcome, undisturbed);
      assert.deepEqual(leftBehind, []);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function oneAfterTheOther(injector: Injector, world: World): Promise<void> {
  await untilCheckpoint(world);
  await injector.inject(faultOf('sigkill', 'worker-train'));
  await sleep(3_000);
  await injector.inject(faultOf('sigkill', 'temporal'));
  await sleep(3_000);
  await injector.inject(faultOf('sigkill', 's3'));
  // One that has just been seen may be over by the time of the signal.
  do {
    await untilTrainer(world);
    await injector.inject(faultOf('sigkill', 'trainer'));
  } while (injector.injected.at(-1)?.did === null);
  await untilShard(world);
  await injector.inject(faultOf('sigkill', 'worker-scan'));
  await injector.inject(faultOf('s3-errors', 'proxy'));
}

/** Until the trainer has left a whole checkpoint on this disk. */
const untilCheckpoint = ({ home, signal }: World): Promise<void> =>
  until(signal, async () => {
    const files = await readdir(join(home.path, 'work'), { recursive: true }).catch(() => []);
    return files.some((file) => /checkpoints\/\d+\.json$/.test(file));
  });

const untilTrainer = ({ home, signal }: World): Promise<void> =>
  until(signal, async () => (await home.process('trainer')) !== null);

/** Until the first shard has left its object, so that the next is under way. */
const untilShard = ({ home, signal }: World): Promise<void> =>
  until(signal, async () => {
    for await (const { key } of (await home.store()).list('loops/'))
      if (/\/shards\/.*\.json\.gz$/.test(key)) return true;
    return false;
  });

async function until(signal: AbortSignal, done: () => Promise<boolean>): Promise<void> {
  while (!(await done().catch(() => false))) await sleep(100, undefined, { signal });
}
