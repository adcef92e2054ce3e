import assert from 'node:assert/strict';
import { asPriors, compareSlopes, type Refit } from '../../bench/priors/refit.js';
import { COLUMNS } from '../../domain/scan/calibrate/features.js';
import { PRIORS } from '../../domain/scan/calibrate/priors.js';

const at = (name: string): number => COLUMNS.findIndex((column) => column.name === name);

describe('refitted priors', () => {
  const mirrored = (gain: number): Refit => ({
    mirrored: PRIORS.families.mirrored.map((_, column) => (column === at('gain') ? gain : 0)),
  });

  it('are means over the sets, beside the present values and the spread between sets', () => {
    const slopes = compareSlopes([mirrored(4), mirrored(5)]);
    assert.deepEqual(
      slopes.find(({ family, column }) => family === 'mirrored' && column === 'gain'),
      { family: 'mirrored', column: 'gain', present: 6, refit: 4.5, range: [4, 5] },
    );
  });

  it('are unknown for a family without an example, and then not written', () => {
    const slopes = compareSlopes([mirrored(4)]);
    assert.ok(slopes.filter(({ family }) => family === 'missing').every(({ refit }) => refit === null));
    const written = asPriors(slopes, { data: 'two sets', command: 'npm run bench -- priors', date: '2026-01-01' });
    assert.match(written, /mirrored: \{ source, slopes: \{ intercept: 0, gain: 4 \} \}/);
    assert.doesNotMatch(written, /missing/);
  });

  it('name every column of the present priors, in the order of the rows', () => {
    const slopes = compareSlopes([]);
    const missing = slopes.filter(({ family }) => family === 'missing');
    assert.deepEqual(
      missing.map(({ present }) => present),
      PRIORS.families.missing.filter((value) => value !== 0),
    );
  });
});
