import assert from 'node:assert/strict';
import { runChaos, SMALLEST } from './run.js';

describe('a loop whose workers and servers are killed', function () {
  this.timeout(15 * 60_000);

  it('ends with the same picks and the same weights as an undisturbed one, and leaves no process behind', async () => {
    const { undisturbed, disturbed, kills, leftBehind } = await runChaos(SMALLEST, () => {});
    assert.equal(kills.length, 4);
    assert.deepEqual(disturbed, undisturbed);
    assert.deepEqual(leftBehind, []);
  });
});
