import assert from 'node:assert/strict';
import { runCase, targetOf } from '../../bench/fuzz/engine.js';
import { mutateBytes, mutateText } from '../../bench/fuzz/mutateBytes.js';
import { mutateJson } from '../../bench/fuzz/mutateJson.js';
import { Choices } from '../../bench/fuzz/source.js';
import { TARGETS } from '../../bench/fuzz/targets/index.js';
import { MESSAGES } from '../../bench/fuzz/targets/schemas.js';

const CASES = 400;
/** Always the same: new cases are for `npm run bench -- fuzz`, and no change should fail by those of another. */
const SEED = 20_261_126;

describe('readers of outside input', function () {
  this.timeout(240_000);

  it('refuse broken input by name, without a crash or a changed label', async () => {
    const failures: string[] = [];
    for (let number = 0; number < CASES; number++) {
      const { target, failure } = await runCase(SEED, number, null);
      if (failure !== null)
        failures.push(`bench fuzz --seed ${SEED} --case ${number} (${target}): ${failure.reason.slice(0, 1_000)}`);
    }
    assert.deepEqual(failures, []);
  });

  it('accept the fuzzed messages in their original form', () => {
    for (const [schema, message] of MESSAGES) schema.parse(message);
  });

  it('each get some of these cases', () => {
    const tried = new Set(Array.from({ length: CASES }, (_, number) => targetOf(number, null).name));
    const forgotten = TARGETS.map(({ name }) => name).filter((name) => !tried.has(name));
    assert.deepEqual(forgotten, []);
  });

  it('get the same input again for the same seed', () => {
    const value = { a: [1, 'two', { three: null }], b: 'text' };
    for (let number = 0; number < 50; number++) {
      const twice = [0, 1].map(() => {
        const choices = new Choices(SEED, number);
        const bytes = [...mutateBytes(Buffer.from('abc'), choices)];
        return JSON.stringify([mutateJson(value, choices), mutateText('a: 1\nb: 2\n', choices), bytes]);
      });
      assert.equal(twice[1], twice[0]);
    }
    assert.deepEqual(value, { a: [1, 'two', { three: null }], b: 'text' });
  });
});
