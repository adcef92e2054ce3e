import assert from 'node:assert/strict';
import { z } from 'zod';
import { factsText, shownFacts } from '../../domain/shownFacts.js';
import { factLabel, factOf, neededBy, outputOf } from '../../domain/stepContract.js';
import { CONTRACTS, STEPS, stepResultsSchema } from '../../domain/steps.js';
import { stepResult } from '../support/standIns/stepResult.js';

describe('the contract of a step', () => {
  it('has the name under which it is listed', () => {
    for (const step of STEPS) assert.equal(CONTRACTS[step].step, step);
  });

  it('gives each fact a label of its own', () => {
    for (const step of STEPS) {
      const names = Object.keys(CONTRACTS[step].facts.shape);
      const labels = names.map((name) => factLabel(CONTRACTS[step], name)?.label);
      assert.ok(!labels.includes(undefined), `${step}: ${names.filter((_, at) => labels[at] === undefined)}`);
      assert.equal(new Set(labels).size, labels.length, `${step}: ${labels}`);
    }
  });
});

describe('the result of a step', () => {
  const wire = (facts: object, outputs: object = {}) => ({
    draw: { step: 'draw', digest: 'a'.repeat(64), outcome: 'miss', outputs, facts, seconds: 1 },
  });

  it('may lack facts and outputs if another version wrote it, and keeps those that this one does not know', () => {
    const other = wire({ drawn: 3, ofTheNextVersion: 7 }, { chunk: 'a', ofTheNextVersion: 'b' });
    assert.deepEqual(stepResultsSchema.parse(other), other);
    assert.deepEqual(stepResultsSchema.parse(wire({})), wire({}));
  });

  it('drops a fact of the wrong kind', () => {
    const { draw } = stepResultsSchema.parse(wire({ drawn: 'many', poolVersion: 2 }));
    assert.deepEqual([draw?.facts.drawn, draw?.facts.poolVersion], [undefined, 2]);
  });

  it('names itself and the way out if a reader asks for a fact that it lacks', () => {
    const draw = stepResult('draw', { chunk: 'chunk.parquet' }, { poolVersion: 1 });
    assert.deepEqual([outputOf(draw, 'chunk'), factOf(draw, 'poolVersion')], ['chunk.parquet', 1]);
    assert.throws(() => outputOf(draw, 'drawn'), /step draw [0-9a-f]{12} has no output `drawn`/);
    assert.throws(() => factOf(draw, 'drawn'), /step draw [0-9a-f]{12} has no fact `drawn`/);
    assert.throws(
      () => neededBy('scan', { draw: undefined }, ['draw']),
      /scan needs the results of draw: draw is missing/,
    );
    assert.equal(neededBy('scan', { draw }, ['draw']).draw, draw);
  });

  it('shows its facts with labels and units, in the order of the contract, and unknown ones by name', () => {
    const facts = { promoted: true, gain: -0.01234, gate: 'held', benchmarkMiou: 0.5, ofAnotherVersion: 2 };
    const decide = stepResult('decide', {}, facts);
    assert.equal(
      factsText('decide', decide),
      'gate: held, gain in mIoU: −0.0123, mIoU of the model in production: 0.5000, goes into production: yes, ofAnotherVersion: 2',
    );
  });

  it('hides facts without a value, and exceptions that did not occur', () => {
    const scan = stepResult('scan', {}, { prevalence: 0.1234, model: null, quarantined: 0, unreadable: 0, failed: 2 });
    assert.deepEqual(
      shownFacts('scan', scan).map(({ label, value }) => [label, value]),
      [
        ['in failed shards', '2'],
        ['images set aside', '0'],
        ['wrong labels, estimated', '12.3 %'],
      ],
    );
  });

  it('holds no more than its schema when it travels', () => {
    assert.ok(stepResultsSchema instanceof z.ZodObject);
    assert.equal(stepResultsSchema.safeParse({ draw: { ...wire({}).draw, digest: 'short' } }).success, false);
  });
});
