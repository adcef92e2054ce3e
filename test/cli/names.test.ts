import assert from 'node:assert/strict';
import { settingsFrom } from '../../cli/options.js';
import { own } from '../../domain/base/own.js';
import { judgedClasses } from '../../domain/scan/calibrate/chunk/classes.js';
import { mergeSettings } from '../../domain/settings/settings.js';
import { builtInTaxonomy, TAXONOMIES } from '../../domain/taxonomies/index.js';
import { parseTaxonomy } from '../../domain/taxonomy.js';
import { logitsOfLabels, userModelSchema } from '../../domain/userModel.js';
import { partloop } from '../support/cli.js';

/** Names that every object answers to. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

describe('a name that every object inherits', function () {
  this.timeout(30_000);

  it('is found in a record only if the record has it', () => {
    for (const name of INHERITED) {
      assert.equal(own({}, name), undefined);
      assert.equal(own(Object.fromEntries([[name, 1]]), name), 1);
    }
  });

  it('is no built-in taxonomy', () => {
    for (const name of INHERITED) assert.equal(builtInTaxonomy(name), undefined, name);
    for (const name of Object.keys(TAXONOMIES)) assert.equal(builtInTaxonomy(name)?.name, name);
  });

  for (const name of ['constructor', '__proto__', 'toString']) {
    it(`is refused as a command and as a taxonomy: ${name}`, async () => {
      const command = await partloop('/nowhere', [name]);
      assert.equal(command.code, 2);
      assert.match(command.stderr, /unknown command/);
      assert.match(command.stderr, /Commands: .*\bimport\b/, 'and the commands are listed');
      const taxonomy = await partloop('/nowhere', ['pool', 'taxonomy', name]);
      assert.equal(taxonomy.code, 2);
      assert.match(taxonomy.stderr, /is neither built in \(car-parts-34, dsmlr-18\) nor a readable JSON file/);
    });
  }

  it('is refused as a setting, and merged as a field like any other', () => {
    for (const name of INHERITED) {
      for (const set of [`${name}=1`, `train.${name}=1`, `${name}.a=1`])
        assert.throws(() => settingsFrom({ set: [set], fields: {}, shortFor: {} }), { code: 'input-invalid' }, set);
      const over: unknown = JSON.parse(`{"a": {"${name}": 1}, "${name}": 2}`);
      const merged = mergeSettings({ a: { b: 2 } }, over);
      assert.equal(JSON.stringify(merged), `{"a":{"b":2,"${name}":1},"${name}":2}`);
      assert.equal(Object.getPrototypeOf(merged), Object.prototype);
    }
    assert.equal(Object.getOwnPropertyNames(Object.prototype).length, INHERITED.length);
  });

  const taxonomy = parseTaxonomy(
    { name: 'constructor', classes: ['constructor', 'wheel'].map((name) => ({ name, group: 'major' })) },
    'a test',
  );

  it('is a class that a model may be judged on', () => {
    const scan = [0, 1, 2].map(() => ({ threshold: 0.5, iou: 0.1, typicalArea: null }));
    assert.deepEqual(
      judgedClasses(
        taxonomy,
        scan,
        Object.fromEntries([
          ['constructor', 0.9],
          ['wheel', 0.2],
        ]),
        0.5,
      ),
      [true, true, false],
    );
    assert.deepEqual(judgedClasses(taxonomy, scan, {}, 0.05), [true, true, true]);
    assert.deepEqual(judgedClasses(taxonomy, scan, {}, 0.5), [true, false, false]);
  });

  it('is a possible class of a user’s model', () => {
    const model = userModelSchema.parse({ size: 64, classes: ['background', 'constructor', 'wheel'] });
    assert.deepEqual(logitsOfLabels(model, taxonomy), [[0], [1], [2]]);
  });
});
