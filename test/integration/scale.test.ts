import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ROOT } from '../support/binaries.js';

const LONGEST_MS = 8 * 60_000;
const SIZE = ['--rows', '1200', '--iterations', '2', '--chunk', '400'];

const costSchema = z.object({
  drawn: z.number(),
  trainingSet: z.number(),
  steps: z.record(z.string(), z.number()),
  scan: z.record(z.string(), z.number()),
});
const figuresSchema = z.object({
  costs: z.array(costSchema),
  runs: z.array(z.object({ type: z.string(), events: z.number().positive(), bytes: z.number().positive() })),
  store: z.array(z.object({ prefix: z.string(), objects: z.number().positive() })),
  processes: z.record(z.string(), z.object({ peakMegabytes: z.number().positive() })),
  drawn: z.object({ drawn: z.number(), different: z.number() }),
  left: z.number(),
});

describe('the benchmark of whole iterations', function () {
  this.timeout(LONGEST_MS);

  it('runs the real loop with stand-ins for networks and training, and measures every part', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'partloop-scale-'));
    try {
      const [json, home] = [join(folder, 'figures.json'), join(folder, 'home')];
      const args = [join(ROOT, 'dist', 'bench', 'main.js'), 'scale', ...SIZE, '--json', json, '--home', home];
      await promisify(execFile)(process.execPath, args, { env: { ...process.env, PARTLOOP_HOME: folder } });
      const { costs, runs, store, processes, drawn, left } = figuresSchema.parse(
        JSON.parse(await readFile(json, 'utf8')),
      );
      assert.deepEqual(
        costs.map((cost) => cost.drawn),
        [400, 400],
      );
      assert.deepEqual({ ...drawn, left }, { drawn: 800, different: 800, left: 400 });
      const [first, second] = costs;
      assert.ok((second?.trainingSet ?? 0) > (first?.trainingSet ?? Number.POSITIVE_INFINITY));
      // Only the first scan has no model that may judge.
      assert.ok((first?.scan.folds ?? 0) > 0 && second?.scan.folds === 0);
      assert.deepEqual([...new Set(runs.map(({ type }) => type))].sort(), [
        'loopIteration',
        'mislabelScan',
        'startLoop',
        'trainingLoop',
      ]);
      assert.ok(store.some(({ prefix }) => prefix === 'loops/') && store.some(({ prefix }) => prefix === 'pools/'));
      for (const name of ['temporal', 's3', 'worker-light', 'worker-scan', 'worker-train', 'command line'])
        assert.ok(processes[name] !== undefined, name);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
