import assert from 'node:assert/strict';
import { commandFor } from './advice.js';

const RETRY = ['loop', 'retry', 'cars'];
const replay = (step: string): string[] => ['iteration', 'replay', 'cars', '2', '--from', step];

describe('what a person does about a failure', () => {
  it('is a retry where the sentence names nothing else, and an end where that brought the same thing twice', () => {
    const sentence = 'iteration 2: the store refuses access to pools/cars/x';
    assert.deepEqual(commandFor(sentence, 0, 'cars', 2), RETRY);
    assert.deepEqual(commandFor(sentence, 1, 'cars', 2), RETRY);
    assert.equal(commandFor(sentence, 2, 'cars', 2), null);
  });

  it('is the replay that it names, at once where it names no retry', () => {
    const both = 'every checkpoint is lost: restore one and retry, or `partloop iteration replay cars 2 --from train`';
    assert.deepEqual(commandFor(both, 0, 'cars', 2), RETRY);
    assert.deepEqual(commandFor(both, 1, 'cars', 2), replay('train'));
    assert.deepEqual(
      commandFor('do it again: `partloop iteration replay cars 2 --from scan`', 0, 'cars', 2),
      replay('scan'),
    );
  });

  it('reads the step from the name of the object where the sentence leaves it open', () => {
    const sentence = (step: string): string =>
      `loops/cars/iterations/0002/${step}/ab/commit.json is no commit: \`partloop iteration replay LOOP N --from STEP\``;
    assert.deepEqual(commandFor(sentence('decide'), 0, 'cars', 2), replay('decide'));
    assert.deepEqual(commandFor(sentence('fold'), 0, 'cars', 2), replay('scan'));
  });
});
