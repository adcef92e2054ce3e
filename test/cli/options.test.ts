import assert from 'node:assert/strict';
import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { name, number, settingsFrom, wholeNumberBetween } from '../../cli/options.js';
import { PartloopError } from '../../domain/base/errors.js';

const settings = (set: string[], fields = {}, shortFor = {}) => settingsFrom({ set, fields, shortFor });
const refused = (set: string[], words: RegExp, fields = {}, shortFor = {}): void =>
  assert.throws(
    () => settings(set, fields, shortFor),
    (error) => error instanceof PartloopError && error.code === 'input-invalid' && words.test(error.message),
  );

describe('--set', () => {
  it('gives settings by their paths, with JSON values if they parse', () => {
    assert.deepEqual(settings(['train.iterations=4', 'train.imageSizes=[64,96]', 'scan.quarantine=region', 'seed=2']), {
      settings: { train: { iterations: 4, imageSizes: [64, 96] }, scan: { quarantine: 'region' }, seed: 2 },
    });
    assert.deepEqual(settings(['train={"iterations": 3}', 'tune.hours=null']), {
      settings: { train: { iterations: 3 }, tune: { hours: null } },
    });
    const focus = [{ tags: { black: true, angle: 45 }, classes: ['left_mirror'], factor: 3 }];
    assert.deepEqual(settings([`sample.focus=${JSON.stringify(focus)}`]), { settings: { sample: { focus } } });
  });

  it('keeps text as text if the setting is text, even if it looks like a number', () => {
    assert.deepEqual(settings(['train.weights=400']), { settings: { train: { weights: '400' } } });
    assert.deepEqual(settings(['train.weights=s3://b/k=v']), { settings: { train: { weights: 's3://b/k=v' } } });
  });

  it('refuses a value for a group, and names the value and the fields', () => {
    refused(['train=400'], /^--set train=400: 400 is not allowed, since it is a group; it has preset,.*iterations/);
  });

  it('refuses a value that is no number, in the words of the setting', () => {
    for (const value of ['NaN', '1e999', '-1', '1.5', '0x10', '', '4,5', 'many', '1_000', '٤'])
      refused([`train.iterations=${value}`], /^--set train\.iterations=.*allowed: integer 1–10000000$/);
  });

  it('refuses an invalid path', () => {
    for (const entry of ['train', '=4', '.a=4', 'train..iterations=4', 'train.=4', ''])
      refused([entry], /expected path=value/);
    refused(['__proto__.x=1'], /there is no such field/);
    refused(['constructor=1'], /there is no such field/);
  });

  it('refuses one setting twice, also if one path contains the other', () => {
    refused(['seed=1', 'seed=2'], /`--set seed=1` and `--set seed=2` set the same thing/);
    refused(['train={"iterations":1}', 'train.iterations=2'], /set the same thing/);
    assert.deepEqual(settings(['train.iterations=1', 'train.imageSize=64']), {
      settings: { train: { iterations: 1, imageSize: 64 } },
    });
  });

  it('refuses a setting that an option also gives', () => {
    const shortFor = { trainIterations: 'train.iterations' };
    const words = /`--train-iterations` and `--set train.*` set the same thing/;
    refused(['train.iterations=1'], words, { trainIterations: 2 }, shortFor);
    refused(['train={"iterations":1}'], words, { trainIterations: 2 }, shortFor);
    settings(['train.iterations=1'], {}, shortFor);
  });
});

describe('a number on the command line', () => {
  it('is decimal', () => {
    for (const [text, value] of [
      ['3', 3],
      ['-2.5', -2.5],
      ['1e3', 1_000],
      ['.5', 0.5],
      ['+4', 4],
    ] as const)
      assert.equal(number(text), value);
    for (const text of ['', ' ', '0x10', '1e999', 'NaN', 'Infinity', '1_000', '4,5', '0b1', '３', '1 2'])
      assert.throws(() => number(text), InvalidArgumentError, text);
  });

  it('must be whole and within bounds if the option says so', () => {
    const parse = wholeNumberBetween(1, 20);
    assert.equal(parse('20'), 20);
    for (const text of ['0', '21', '1.5', '1e1', '-1', '', '99999999999999999999'])
      assert.throws(() => parse(text), InvalidArgumentError, text);
  });

  it('reads as JavaScript reads it, for every number that prints without an exponent', () => {
    fc.assert(fc.property(fc.integer(), (value) => assert.equal(number(String(value)), value)));
  });
});

describe('a name on the command line', () => {
  it('is refused with the letters that are allowed', () => {
    assert.equal(name('nightly-2'), 'nightly-2');
    for (const text of ['', 'No Way', 'a/b', '-a', 'ä', 'A']) assert.throws(() => name(text), /a–z, 0–9/);
  });
});
