import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createArmActivities, createControlActivities } from '../../activities/control.js';
import { createEvaluateActivities } from '../../activities/evaluate.js';
import { createTrainActivities } from '../../activities/train.js';
import { iterationContextSchema, type StepResults } from '../../domain/steps.js';
import { chunkRowSchema, type IndexRow, trainingRowSchema } from '../../domain/tables.js';
import { keys } from '../../storage/keys.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTable } from '../../storage/tables/table.js';
import { PYTHON } from '../support/models/tinyModel.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { POOL, taxonomy, tinyImage } from './tinyPool.js';

describe('the training of a control', function () {
  this.timeout(240_000);

  it('ends at the weights of the iteration if it has the same images: it differs by its images alone', async function () {
    if (!existsSync(PYTHON)) {
      console.log(`      skipped: ${PYTHON} is missing; npm run bootstrap installs it`);
      return this.skip();
    }
    const home = await mkdtemp(join(tmpdir(), 'partloop-arm-'));
    try {
      const store = memoryStore();
      await store.put(keys.taxonomy(POOL), JSON.stringify(taxonomy));
      const images: IndexRow[] = [];
      for (let n = 0; n < 8; n++) {
        const split = n < 4 ? 'train' : n < 6 ? 'val' : 'test';
        images.push({ ...(await tinyImage(store, n)), split, perceptualHash: `${n}${n}`.repeat(8) });
      }
      await (await openPool(store, POOL)).append(() => images);
      const context = iterationContextSchema.parse({
        ...{ loop: 'tiny', iteration: 1, previous: null, force: null },
        config: {
          pool: POOL,
          train: { iterations: 4, batchSize: 2, imageSize: 64, checkpointEvery: 2, threads: 1 },
          sample: { controlArm: true },
        },
      });
      const drawn = images.slice(0, 4).map((row) => ({ ...row, cluster: row.imageId }));
      // In order of image id, as every training set is.
      const picks = drawn.map((row) => ({ ...row, pickedIn: 1 })).sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
      await writeTable(store, 'chunk.parquet', drawn, chunkRowSchema);
      await writeTable(store, 'training-set.parquet', picks, trainingRowSchema);
      const deps = { store, home, root: process.cwd(), log: pino({ level: 'silent' }) };
      const results: StepResults = {
        draw: stepResult('draw', { chunk: 'chunk.parquet' }, { poolVersion: 1 }),
        sample: stepResult('sample', { trainingSet: 'training-set.parquet' }),
      };
      results.train = await createTrainActivities(deps).train({ context, results });
      results.evaluate = await createEvaluateActivities(deps).evaluate({ context, results });
      const arm = await createArmActivities(deps).trainControl({ context, results });
      assert.equal(arm.facts.weightsSha256, results.train.facts.weightsSha256);
      assert.notEqual(arm.digest, results.train.digest);
      const { facts } = await createControlActivities(deps).compareControl({ context, results, arm });
      assert.deepEqual([facts.gain, facts.lower, facts.upper, facts.images], [0, 0, 0, 4]);
      assert.equal(facts.miou, results.evaluate.facts.miou);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
