import assert from 'node:assert/strict';
import { fastestCount } from '../../../inference/sessions/sessionCount.js';

/**
 * Runners that share `cores`: a picture takes as long as there are more runners at work than cores; a clock of their
 * own.
 */
function machine(cores: number, runners: number) {
  let time = 0;
  let round: (() => void)[] = [];
  const tick = (): void => {
    const working = round;
    round = [];
    time += 100 * Math.max(1, working.length / cores);
    for (const done of working) done();
  };
  return {
    now: () => time,
    runners: Array.from({ length: runners }, () => ({
      run: () =>
        new Promise<void>((done) => {
          if (round.length === 0) setImmediate(tick);
          round.push(done);
        }),
    })),
  };
}

describe('the number of sessions', () => {
  it('is as large as pays off, and no larger', async () => {
    for (const [cores, runners, count] of [
      [1, 4, 1],
      [2, 8, 2],
      [4, 4, 4],
      [8, 6, 6],
      [1, 1, 1],
    ] as const) {
      const one = machine(cores, runners);
      assert.equal(await fastestCount(one.runners, one.now), count, `${cores} cores, ${runners} sessions`);
    }
  });
});
