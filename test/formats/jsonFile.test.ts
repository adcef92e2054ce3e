import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseJsonText } from '../../formats/jsonFile.js';

describe('the text of a JSON file', () => {
  it('is read with a byte order mark before it', () => {
    assert.deepEqual(parseJsonText('\uFEFF{"a": [1]}', 'a.json'), { a: [1] });
  });

  it('that is not JSON is told with line and column', () => {
    const bad: [string, RegExp][] = [
      ['{"a": NaN}', /line 1, column 7, at `NaN}`/],
      ['{"a": [1,\n  "NaN", -Infinity]}', /line 2, column 10, at `-Infinity\]}`/],
      ['{"a": 1,\n "b": tru}', /line 2, column 7/],
      ['{"a"', /line 1, column 5/],
      ['', /is not JSON/],
    ];
    for (const [text, message] of bad) assert.throws(() => parseJsonText(text, 'a.json'), message, text);
  });

  it('is what JSON.parse says, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.deepEqual(parseJsonText(JSON.stringify(value), 'x'), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
