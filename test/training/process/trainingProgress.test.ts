import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrainingProgress } from '../../../training/process/trainingProgress.js';

describe('the progress of a training run', () => {
  let folder: string;
  const beat = { report: () => {} };
  const trained = (iteration: number) =>
    ({
      type: 'progress',
      v: 1,
      iteration,
      loss: 1 / iteration,
      lr: 0.1,
      secondsPerIteration: 1,
      etaSeconds: 1,
    }) as const;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-progress-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const iterations = (text: string): number[] =>
    text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).iteration]));

  it('leaves out of a checkpoint’s log later iterations, trained while it was written', async () => {
    const progress = await TrainingProgress.from(null, 8, beat);
    for (const iteration of [2, 4, 6]) progress.take(trained(iteration));
    assert.deepEqual(iterations(progress.textUpTo(4)), [2, 4]);
    assert.deepEqual(iterations(progress.textUpTo(8)), [2, 4, 6]);
  });

  it('goes on from the log beside a checkpoint without torn, later or repeated lines', async () => {
    const path = join(folder, '4.pt');
    const before = await TrainingProgress.from(null, 8, beat);
    for (const iteration of [2, 4, 6]) before.take(trained(iteration));
    await writeFile(join(folder, '4.log.jsonl'), `${before.textUpTo(8)}{"iteration": 5, "lo`);
    const after = await TrainingProgress.from({ iteration: 4, path, sha256: '' }, 8, beat);
    assert.equal(after.loss, 1 / 4);
    for (const iteration of [6, 8]) after.take(trained(iteration));
    assert.deepEqual(iterations(after.textUpTo(8)), [2, 4, 6, 8]);
  });

  it('starts again if a checkpoint has no log', async () => {
    const progress = await TrainingProgress.from({ iteration: 4, path: join(folder, '4.pt'), sha256: '' }, 8, beat);
    assert.deepEqual([progress.loss, progress.textUpTo(8)], [null, '']);
  });
});
