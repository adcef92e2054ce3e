import assert from 'node:assert/strict';
import fc from 'fast-check';
import { loopConfigSchema, trainConfigSchema } from '../../../domain/config.js';
import { resolveConfig, startLoopRequestSchema } from '../../../domain/loop/startRequest.js';
import { adoptedSettings, emptyLoopState, withAdopted, withProposal } from '../../../domain/loop/state.js';
import { dimensionsOf, tuneSpaceSchema } from '../../../domain/tune/space.js';
import { trialLines } from '../../../domain/tune/table.js';
import {
  newTrial,
  ownTrial,
  proposalRequest,
  roundedAnswer,
  rungEnds,
  trialConfig,
} from '../../../domain/tune/trials.js';

const config = loopConfigSchema.parse({ pool: 'cars', train: { iterations: 1_000 } });

describe('the trials of a search', () => {
  it('train with their own settings and the schedule of the longest rung', () => {
    const train = trialConfig(config, { lrHead: 0.004, angle: 3, loss: 'ce+dice' });
    assert.deepEqual(rungEnds(config), [125, 250, 500]);
    assert.deepEqual(
      [train.lrHead, train.augment.angle, train.loss, train.iterations, train.cycles],
      [0.004, 3, 'ce+dice', 500, 4],
    );
    assert.equal(train.augment.flip, config.train.augment.flip);
  });

  it('start with the loop’s own settings, as the configuration has them', () => {
    const { settings } = ownTrial(config);
    assert.equal(settings.lrHead, config.train.lrHead);
    assert.equal(settings.angle, config.train.augment.angle);
    assert.deepEqual(Object.keys(settings).sort(), Object.keys(dimensionsOf(config.tune.space)).sort());
  });

  it('go to the estimator with the rung that they reached, except those outside the space', () => {
    const settings = ownTrial(config).settings;
    const far = ownTrial(loopConfigSchema.parse({ pool: 'cars', train: { lrHead: 0.9 } }));
    const trials = [
      far,
      { ...newTrial(1, settings), values: [0.4] },
      { ...newTrial(2, settings), values: [0.4, 0.5, 0.6] },
      { ...newTrial(3, settings), error: 'diverged' },
      { ...newTrial(4, settings), running: true },
    ];
    assert.deepEqual(
      proposalRequest(trials, config, 7).trials.map(({ state, rungs }) => [state, rungs]),
      [
        ['stopped', { 0: 0.4 }],
        ['complete', { 0: 0.4, 1: 0.5, 2: 0.6 }],
        ['failed', {}],
        ['running', {}],
      ],
    );
  });

  it('have proposed values of four digits, inside the space', () => {
    const space = dimensionsOf(config.tune.space);
    fc.assert(
      fc.property(fc.double({ min: 5e-4, max: 6e-3, noNaN: true }), (lrHead) => {
        const rounded = Number(roundedAnswer({ lrHead, loss: 'ce' }, space).lrHead);
        assert.ok(rounded >= 5e-4 && rounded <= 6e-3 && Math.abs(rounded - lrHead) <= 1e-3 * lrHead);
      }),
    );
  });

  it('keep every configuration valid, wherever in the space they lie', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(share, { minLength: 9, maxLength: 9 }), (shares) => {
        const settings = Object.fromEntries(
          Object.entries(dimensionsOf(config.tune.space)).map(([name, dimension], index) => [
            name,
            'choices' in dimension
              ? dimension.choices[Math.floor((shares[index] ?? 0) * dimension.choices.length * 0.999)]
              : dimension.low + (shares[index] ?? 0) * (dimension.high - dimension.low),
          ]),
        );
        assert.ok(trainConfigSchema.safeParse(trialConfig(config, settings)).success);
      }),
    );
  });

  it('are refused if the space is empty or would favour rare classes twice', () => {
    assert.match(
      tuneSpaceSchema.safeParse({ classWeightExponent: [0, 0.9], imageWeightExponent: [0, 0.2] }).error?.message ?? '',
      /rare classes are favoured twice/,
    );
    const nothing = Object.fromEntries(Object.keys(tuneSpaceSchema.shape).map((name) => [name, null]));
    assert.match(tuneSpaceSchema.safeParse(nothing).error?.message ?? '', /at least one setting/);
    assert.match(tuneSpaceSchema.safeParse({ lrHead: [0.1, 0.01] }).error?.message ?? '', /below the second/);
  });

  it('are shown with the mIoU of each rung and the reason why they ended', () => {
    const lines = trialLines(
      [
        { ...newTrial(0, {}), values: [0.4, 0.5], seconds: 120 },
        { ...newTrial(1, { lrHead: 0.01 }), values: [0.3] },
        { ...newTrial(2, { lrHead: 0.9 }), error: 'the loss is not finite' },
      ],
      2,
    );
    assert.deepEqual(
      lines.map(({ trial, values, minutes, state }) => [trial, values, minutes, state]),
      [
        ['0, as it is', [0.4, 0.5], 2, 'all rungs'],
        ['1', [0.3, null], 0, 'left after rung 1'],
        ['2', [null, null], 0, 'the loss is not finite'],
      ],
    );
    assert.equal(lines[1]?.settings, 'lrHead 0.01');
  });
});

describe('proposed settings', () => {
  const proposal = { iteration: 2, settings: { lrHead: 0.004, angle: 3 }, miou: 0.6, ownMiou: 0.5 };
  const request = (fields: object) => startLoopRequestSchema.parse(fields);

  it('stand until they are adopted, and then apply to every later start, below its own settings', () => {
    const adopted = withAdopted(withProposal(emptyLoopState('cars'), proposal));
    assert.equal(adopted.proposal, null);
    const resolved = resolveConfig(request({}), 'cars', adoptedSettings(adopted));
    assert.deepEqual([resolved.train.lrHead, resolved.train.augment.angle], [0.004, 3]);
    assert.equal(resolved.train.augment.crop, 0.2);
    const asked = resolveConfig(request({ settings: { train: { lrHead: 0.001 } } }), 'cars', adoptedSettings(adopted));
    assert.equal(asked.train.lrHead, 0.001);
  });

  it('give way to those of a newer search, even if it found none; adopting nothing changes nothing', () => {
    const state = withProposal(withProposal(emptyLoopState('cars'), proposal), null);
    assert.equal(state.proposal, null);
    assert.deepEqual(withAdopted(state), state);
    assert.deepEqual(adoptedSettings(state), {});
  });
});
