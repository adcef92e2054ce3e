import assert from 'node:assert/strict';
import fc from 'fast-check';
import { withHint, withoutHint } from '../../../../domain/base/failures/withHint.js';

describe('a message with its hint', () => {
  it('is two sentences, even if a reader sees no line break', () => {
    assert.equal(withHint('x is gone', 'Put it back.'), 'x is gone.\nPut it back.');
    assert.equal(withHint('x is gone.', 'Put it back.'), 'x is gone.\nPut it back.');
    assert.equal(withHint('x is gone', null), 'x is gone');
  });

  it('gets the hint once', () => {
    const once = withHint('x is gone', 'Put it back.');
    assert.equal(withHint(once, 'Put it back.'), once);
  });

  it('gives the message back as it was', () => {
    const words = fc.stringMatching(/^[a-z`][a-z `:…]{0,40}[a-z`…)]$/);
    fc.assert(
      fc.property(words, words, (message, hint) => {
        fc.pre(!message.endsWith(hint));
        assert.equal(withoutHint(withHint(message, hint), hint), message);
      }),
    );
  });
});
