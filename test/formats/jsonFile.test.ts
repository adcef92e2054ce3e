import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseJsonText } from '../../formats/reading/jsonFile.js';

describe('the text of a JSON file', () => {
  it('is read after a byte order mark', () => {
    assert.deepEqual(parseJsonText('\uFEFF{"a": [1]}', 'a.json'), { a: [1] });
  });

  it('is refused with line and column if it is not JSON', () => {
    const bad: [string, RegExp][] = [
      ['{"a": NaN}', /line 1, column 7, at `NaN}`/],
      ['{"a": [1,\n  "NaN", -Infinity]}', /line 2, column 10, at `-Infinity\]}`/],
      ['{"a": 1,\n "b": tru}', /line 2, column 7/],
      ['{"a"', /line 1, column 5/],
      ['', /is not JSON/],
    ];
    for (const [text, message] of bad) assert.throws(() => parseJsonText(text, 'a.json'), message, text);
  });

  it('gives the same value as JSON.parse', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.deepEqual(parseJsonText(JSON.stringify(value), 'x'), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
