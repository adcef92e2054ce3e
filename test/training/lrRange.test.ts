import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainConfigSchema } from '../../domain/config.js';
import type { IndexRow } from '../../domain/tables.js';
import { learningRateChart } from '../../report/learningRates.js';
import { findLearningRate } from '../../training/settings/lrRange.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { POOL, taxonomy, tinyImage } from './tinyPool.js';

const root = process.cwd();
const python = process.env.PARTLOOP_PYTHON ?? join(root, '.venv/bin/python');

describe('the learning rate range test', function () {
  this.timeout(240_000);
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-lr-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('tries rising rates on images of a pool, and leaves no work folder', async function () {
    if (!existsSync(python)) {
      console.log(`      no Python at ${python}: set PARTLOOP_PYTHON or run npm run bootstrap`);
      this.skip();
    }
    const store = memoryStore();
    const rows: IndexRow[] = [];
    for (let index = 0; index < 4; index++) rows.push(await tinyImage(store, index));
    const steps: number[] = [];
    const found = await findLearningRate({
      store,
      pool: POOL,
      home,
      root,
      rows,
      taxonomy,
      config: trainConfigSchema.parse({ batchSize: 2, imageSize: 64, threads: 1 }),
      badImageShare: 0.01,
      iterations: 4,
      seed: 1,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onStep: (done) => steps.push(done),
    });
    const rates = found.points.map(({ rate }) => rate);
    assert.ok(rates.length > 1);
    assert.deepEqual(
      rates,
      rates.toSorted((a, b) => a - b),
    );
    assert.equal(steps.length, rates.length);
    assert.ok(found.suggested === null || rates.includes(found.suggested));
    assert.deepEqual(await readdir(join(home, 'work')), []);
  });

  it('is drawn as one SVG file, with or without a suggestion', () => {
    const points = [1e-5, 1e-4, 1e-3].map((rate, index) => ({ rate, loss: 3 - index }));
    const svg = learningRateChart(points, 1e-4);
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.match(svg, /^<svg .*steepest fall at 0\.00010/s);
    assert.doesNotMatch(svg, /var\(--|NaN/);
    assert.doesNotMatch(learningRateChart(points, null), /steepest/);
  });
});
