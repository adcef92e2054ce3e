import assert from 'node:assert/strict';
import { seededRandom } from '../../../../../domain/base/random.js';
import { fitLogistic, logit, sigmoid } from '../../../../../domain/scan/calibrate/statistics/logistic.js';
import { fitPositiveUnlabelled } from '../../../../../domain/scan/calibrate/statistics/positiveUnlabelled.js';

describe('the statistics of the calibration', () => {
  it('recover the coefficients that made the data', () => {
    const random = seededRandom('logistic');
    const rows = Array.from({ length: 4_000 }, () => [1, 2 * random() - 1, 2 * random() - 1]);
    const targets = rows.map((row) => (random() < sigmoid(logit([-0.5, 2, -1], row)) ? 1 : 0));
    const fitted = fitLogistic(
      rows,
      targets,
      rows.map(() => 1),
      [0, 0, 0],
      0.01,
    );
    for (const [index, truth] of [-0.5, 2, -1].entries()) assert.ok(Math.abs((fitted[index] ?? 0) - truth) < 0.25);
  });

  it('stay with the prior if there is no data', () => {
    assert.deepEqual(fitLogistic([], [], [], [1, -2], 1), [1, -2]);
    const options = { prior: [0, 1], ridge: 1, expected: 0.15, strength: 20 };
    const { coefficients, shares } = fitPositiveUnlabelled([], [], options);
    assert.deepEqual([coefficients, shares], [[0, 1], {}]);
    const alone = fitPositiveUnlabelled([], [{ group: 'a', row: [1, 0] }], options);
    assert.ok(Math.abs((alone.shares.a ?? 0) - 0.15) < 0.05);
  });

  it('estimate the share of wrong rows among the unknown, small or large, separately per group', () => {
    const draw = (random: () => number, wrong: boolean): number[] => [
      1,
      (wrong ? 0.8 : 0.2) + 0.5 * (random() + random() - 1),
    ];
    for (const [few, many] of [
      [0.05, 0.3],
      [0.15, 0.6],
    ] as const) {
      const random = seededRandom('share', few);
      const wrong = Array.from({ length: 800 }, (_, index) => ({
        group: index % 2 === 0 ? 'few' : 'many',
        row: draw(random, true),
      }));
      const unknown = Array.from({ length: 2_000 }, (_, index) => {
        const group = index % 2 === 0 ? 'few' : 'many';
        return { group, row: draw(random, index < (group === 'few' ? few : many) * 2_000) };
      });
      const { shares } = fitPositiveUnlabelled(wrong, unknown, {
        prior: [-2, 4],
        ridge: 1,
        expected: 100,
        strength: 1,
      });
      assert.ok(Math.abs((shares.few ?? 0) - few) < 0.04, `${few}: ${shares.few}`);
      assert.ok(Math.abs((shares.many ?? 0) - many) < 0.06, `${many}: ${shares.many}`);
    }
  });

  it('take a group for wrong if all its rows look injected, and for right if none does', () => {
    const random = seededRandom('extremes');
    const rows = (group: string, count: number, centre: number): { group: string; row: number[] }[] =>
      Array.from({ length: count }, () => ({ group, row: [1, centre + 0.2 * (random() - 0.5)] }));
    const { shares } = fitPositiveUnlabelled(
      [...rows('same', 100, 1), ...rows('other', 100, 1)],
      [...rows('same', 60, 1), ...rows('other', 60, 0)],
      { prior: [-2, 4], ridge: 0.3, expected: 12, strength: 1 },
    );
    assert.ok((shares.same ?? 0) > 0.8, String(shares.same));
    assert.ok((shares.other ?? 1) < 0.05, String(shares.other));
  });

  it('ignore rows that hardly count', () => {
    const random = seededRandom('weights');
    const row = (): number[] => [1, 1 + 0.1 * random()];
    const wrong = Array.from({ length: 50 }, () => ({ group: 'a', row: row() }));
    const right = Array.from({ length: 50 }, () => ({ group: 'a', row: [1, 0.1 * random()] }));
    const doubtful = Array.from({ length: 50 }, () => ({ group: 'a', row: row(), weight: 0.001 }));
    const { shares } = fitPositiveUnlabelled(wrong, [...right, ...doubtful], {
      prior: [-2, 4],
      ridge: 0.3,
      expected: 10,
      strength: 1,
    });
    assert.ok((shares.a ?? 1) < 0.05);
  });
});
