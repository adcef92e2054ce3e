import assert from 'node:assert/strict';
import { PartloopError } from '../../../domain/base/errors.js';
import { assertMeansSomething, keptSteps } from '../../../domain/loop/keptSteps.js';
import { configWith } from '../../../domain/settings/loopConfig.js';
import { STEPS, type StepResults } from '../../../domain/steps.js';
import { stepResult, testConfig } from '../../support/standIns/fakeActivities.js';

const results = (...steps: (keyof StepResults)[]): StepResults =>
  Object.fromEntries(steps.map((step) => [step, stepResult(step)]));
const whole = { results: results(...STEPS), config: testConfig };
const names = (kept: StepResults): string[] => Object.keys(kept);

describe('the steps that a new attempt at an iteration takes over', () => {
  it('are all before the step that it replays from', () => {
    assert.deepEqual(names(keptSteps(whole, { from: 'evaluate', config: testConfig })), [
      'draw',
      'scan',
      'sample',
      'train',
    ]);
    assert.deepEqual(names(keptSteps(whole, { from: 'draw', config: testConfig })), []);
  });

  it('are all finished ones after a failure, up to the first unfinished step', () => {
    const failed = { results: results('draw', 'scan', 'train'), config: testConfig };
    assert.deepEqual(names(keptSteps(failed, { from: null, config: testConfig })), ['draw', 'scan']);
  });

  it('end before the first step that a changed setting affects', () => {
    const of = (settings: object) =>
      names(keptSteps(whole, { from: null, config: configWith(testConfig, { ...settings }) }));
    assert.deepEqual(of({ train: { lrHead: 0.5 } }), ['draw', 'scan', 'sample']);
    assert.deepEqual(of({ scan: { shardSize: 9 } }), ['draw']);
    assert.deepEqual(of({ chunkSize: 3 }), []);
    assert.deepEqual(
      of({ durability: { inferenceStallSeconds: 9 } }),
      STEPS.filter((step) => step !== 'report'),
    );
  });

  it('include all but the control if only that is switched on or off', () => {
    const control = { sample: { controlArm: true } };
    const config = configWith(testConfig, control);
    const without = STEPS.filter((step) => step !== 'control' && step !== 'report');
    assert.deepEqual(names(keptSteps(whole, { from: null, config })), without);
    const { control: _, ...done } = whole.results;
    const before = { results: done, config: testConfig };
    assert.deepEqual(names(keptSteps(before, { from: null, config })), without);
    assert.deepEqual(names(keptSteps(before, { from: null, config: testConfig })), without);
    assertMeansSomething('control', control);
    const both = { sample: { controlArm: true, share: 0.3 } };
    assert.deepEqual(names(keptSteps(whole, { from: null, config: configWith(testConfig, both) })), ['draw', 'scan']);
    assert.throws(
      () => assertMeansSomething('control', both),
      (error) => error instanceof PartloopError && /`sample` is a setting of the step sample/.test(error.message),
    );
  });

  it('include no search if there was none, and never a report, which describes its own attempt', () => {
    const without = {
      results: results('draw', 'scan', 'sample', 'train', 'evaluate', 'decide', 'report'),
      config: testConfig,
    };
    assert.deepEqual(names(keptSteps(without, { from: null, config: testConfig })), [
      ...['draw', 'scan', 'sample', 'train', 'evaluate', 'decide'],
    ]);
  });

  it('allow no changed settings', () => {
    assertMeansSomething('train', { train: { lrHead: 1 }, gate: {}, durability: {} });
    assert.throws(
      () => assertMeansSomething('evaluate', { train: { lrHead: 1 } }),
      (error) => error instanceof PartloopError && /`train` is a setting of the step train/.test(error.message),
    );
  });
});
