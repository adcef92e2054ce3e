import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { LineSplitter, parseMessage } from '../../../training/process/protocol.js';

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof PartloopError && error.code === code;

describe('reading messages of the trainer', () => {
  it('ignores other text: prints of libraries, torn lines, unknown kinds', () => {
    for (const line of [
      '',
      'Downloading weights…',
      '{"v":1,"type":"progr',
      '[1,2]',
      '{"type":"started"}',
      '{"v":1,"type":"applause"}',
    ]) {
      assert.equal(parseMessage(line), null, line);
    }
  });

  it('refuses another protocol version, and says what to do', () => {
    assert.throws(() => parseMessage('{"v":2,"type":"started"}'), hasCode('setup-incomplete'));
  });

  it('refuses wrong fields, and accepts nothing but a path as a checkpoint path', () => {
    assert.throws(() => parseMessage('{"v":1,"type":"progress","iteration":"ten"}'), hasCode('trainer-failed'));
    const sha256 = 'a'.repeat(64);
    assert.throws(
      () => parseMessage(JSON.stringify({ v: 1, type: 'checkpoint', iteration: 1, path: 'a\u0000b', sha256 })),
      hasCode('trainer-failed'),
    );
  });

  it('gives whole messages, however the stream is cut into pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string().filter((line) => !line.includes('\n'))),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (lines, cuts) => {
          const seen: string[] = [];
          const splitter = new LineSplitter((line) => seen.push(line));
          let rest = lines.map((line) => `${line}\n`).join('');
          for (const cut of cuts) {
            splitter.push(rest.slice(0, cut));
            rest = rest.slice(cut);
          }
          splitter.push(rest);
          assert.deepEqual(seen, lines);
        },
      ),
    );
  });

  it('refuses messages longer than the bound', () => {
    const splitter = new LineSplitter(() => undefined, 100);
    assert.throws(() => splitter.push('x'.repeat(101)), hasCode('trainer-failed'));
  });
});
