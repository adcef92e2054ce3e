import assert from 'node:assert/strict';
import { commandFor } from './advice.js';

const RETRY = ['loop', 'retry', 'cars'];
const replay = (step: string): string[] => ['iteration', 'replay', 'cars', '2', '--from', step];

describe('the command that a person gives after a failure', () => {
  it('is a retry if the message names nothing else, and none after the same failure twice', () => {
    const sentence = 'iteration 2: the store refuses access to pools/cars/x';
    assert.deepEqual(commandFor(sentence, 0, 'cars', 2), RETRY);
    assert.deepEqual(commandFor(sentence, 1, 'cars', 2), RETRY);
    assert.equal(commandFor(sentence, 2, 'cars', 2), null);
  });

  it('is the replay that the message names, at once if it names no retry', () => {
    const both = 'every checkpoint is lost: restore one and retry, or `partloop iteration replay cars 2 --from train`';
    assert.deepEqual(commandFor(both, 0, 'cars', 2), RETRY);
    assert.deepEqual(commandFor(both, 1, 'cars', 2), replay('train'));
    assert.deepEqual(
      commandFor('do it again: `partloop iteration replay cars 2 --from scan`', 0, 'cars', 2),
      replay('scan'),
    );
  });

  it('takes the step from the name of the object if the message leaves it open', () => {
    const sentence = (step: string): string =>
      `loops/cars/iterations/0002/${step}/ab/commit.json is no commit: \`partloop iteration replay LOOP N --from STEP\``;
    assert.deepEqual(commandFor(sentence('decide'), 0, 'cars', 2), replay('decide'));
    assert.deepEqual(commandFor(sentence('fold'), 0, 'cars', 2), replay('scan'));
  });
});
