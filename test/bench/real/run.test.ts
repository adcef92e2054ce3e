import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { realFolders } from '../../../bench/detect/real/data.js';
import { measureReal } from '../../../bench/detect/real/run.js';
import { ROOT } from '../../support/binaries.js';

const resultsSchema = z.object({
  variants: z.array(
    z.object({
      variant: z.string(),
      images: z.number(),
      wrong: z.array(z.boolean()),
      ranking: z.record(z.string(), z.unknown()),
      missing: z.object({ real: z.number(), seen: z.number() }),
    }),
  ),
});

const truthSchema = z.array(z.object({ id: z.string(), p: z.number(), wrong: z.boolean() }));

describe('the measurement on errors that people made', function () {
  this.timeout(600_000);

  it('trains folds slice by slice, keeps them, and writes its figures', async function () {
    if (realFolders() === null) {
      console.log('      skipped: no labels from before and after correction (PARTLOOP_SHARED)');
      return this.skip();
    }
    if (!existsSync(join(ROOT, '.venv', 'bin', 'python'))) return this.skip();
    const home = await mkdtemp(join(tmpdir(), 'partloop-real-'));
    try {
      const variants = ['old'] as const;
      const run = (trainings: number) =>
        measureReal({
          ...{ variants, seed: 1, folds: 2, iterations: 2, size: 64, images: 8, peer: false, trainings },
          ...{ home, root: ROOT, signal: new AbortController().signal },
        });
      await assert.rejects(run(1), { code: 'interrupted' });
      const path = await run(1);
      const written = resultsSchema.parse(JSON.parse(await readFile(path ?? '', 'utf8')));
      assert.deepEqual(
        written.variants.map(({ variant, images, wrong }) => ({ variant, images, wrong: wrong.length })),
        [{ variant: 'old', images: 8, wrong: 8 }],
      );
      assert.equal(Object.keys(written.variants[0]?.ranking ?? {}).length, 2);
      const truth = JSON.parse(await readFile(join(home, 'bench', 'detect', 'real-old-images.json'), 'utf8'));
      assert.deepEqual(
        truthSchema.parse(truth).map(({ wrong }) => wrong),
        written.variants[0]?.wrong,
      );
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });

  it('knows that the data is absent', async () => {
    const before = process.env.PARTLOOP_SHARED;
    process.env.PARTLOOP_SHARED = join(tmpdir(), 'no-such-data');
    try {
      assert.equal(realFolders(), null);
    } finally {
      if (before === undefined) delete process.env.PARTLOOP_SHARED;
      else process.env.PARTLOOP_SHARED = before;
    }
  });
});
