import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { columnsOf, forTerminal, linesForTerminal } from '../../cli/terminal/terminal.js';

describe('text for a terminal', () => {
  it('shows characters that a terminal would obey', () => {
    for (const [text, shown] of [
      ['\u001b[2Ja.jpg', '\\x1b[2Ja.jpg'],
      ['a\nerror: b', 'a\\nerror: b'],
      ['a\r\tb', 'a\\r\\tb'],
      ['\u009b31m', '\\x9b31m'],
      ['photo\u202egpj.exe', 'photo\\u{202e}gpj.exe'],
      ['a\u2066b\u2069', 'a\\u{2066}b\\u{2069}'],
      ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
      ['\ud800', '\\u{d800}'],
      ['\u007f\u0000', '\\x7f\\x00'],
      ['\u{e0041}', '\\u{e0041}'],
      ['a\u2028b', 'a\\u{2028}b'],
    ] as const)
      assert.equal(forTerminal(text), shown);
  });

  it('keeps names of every language as they are', () => {
    for (const name of ['Ünï ☃.jpg', '汽车.jpg', 'машина.png', 'سيارة.jpg', '👨‍👩‍👧.jpg', 'e\u0301.jpg', 'नमस्ते'])
      assert.equal(forTerminal(name), name);
  });

  it('is one line without a control character, for any input', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = forTerminal(text);
        assert.doesNotMatch(shown, /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
        assert.equal(stripVTControlCharacters(shown), shown);
        assert.equal(forTerminal(shown), shown);
      }),
    );
  });

  it('is indented after its first line, so that no line passes for a message of ours', () => {
    assert.equal(linesForTerminal('a\nerror: b\u001b'), 'a\n  error: b\\x1b');
  });

  it('has the width that a terminal gives it', () => {
    for (const [text, columns] of [
      ['abc', 3],
      ['', 0],
      ['汽车', 4],
      ['한국', 4],
      ['ｱｲ', 2],
      ['Ａ', 2],
      ['e\u0301', 1],
      ['👍🏽', 2],
      ['👨‍👩‍👧', 2],
      ['🇩🇪', 2],
      ['é–→', 3],
      ['❤️', 2],
    ] as const)
      assert.equal(columnsOf(text), columns, text);
  });
});
