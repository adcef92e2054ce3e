import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resample } from '../../bench/propagate/resample.js';
import { madeRows, readRows, SCORES } from '../../bench/propagate/rows.js';

const SETTING = { answers: 50, taught: 0, alpha: 0.2, from: 0.5 };

describe('the benchmark of automatic corrections', () => {
  it('is within the bound in at least 95 % of 200 draws, whatever the scores are worth', () => {
    for (const scores of SCORES) {
      const rows = madeRows(scores, 400, 1);
      for (const taught of [0, 40]) {
        const outcomes = Array.from({ length: 200 }, (_, seed) => resample(rows, { ...SETTING, taught }, seed));
        const within = outcomes.filter(({ harmful }) => harmful <= SETTING.alpha).length;
        assert.ok(within >= 190, `${scores}, ${taught} taught: ${within}`);
      }
    }
  });

  it('repairs wrong area if proposals are mostly right, and none if most are harmful', () => {
    const rows = madeRows('right', 400, 2);
    const good = rows.map((row) => ({ ...row, harmful: false, wrongArea: 100 }));
    const { repaired, repairedWithAnswers, harmful } = resample(good, SETTING, 1);
    assert.deepEqual([repaired, repairedWithAnswers, harmful], [0.875, 1, 0]);
    const bad = rows.map((row, at) => ({ ...row, harmful: at % 3 > 0 }));
    assert.equal(resample(bad, SETTING, 1).applied, 0);
  });

  it('reads findings with their truth, and names the file that has none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'partloop-truth-'));
    try {
      const path = join(folder, 'truth.json');
      const rows = madeRows('useless', 20, 3);
      await writeFile(path, JSON.stringify(rows));
      assert.deepEqual(await readRows(path), rows);
      await writeFile(path, '[{}, {}]');
      await assert.rejects(readRows(path), /truth\.json/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
