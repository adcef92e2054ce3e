import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { LineSplitter, parseMessage } from '../../../training/process/protocol.js';

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof PartloopError && error.code === code;

describe('messages of the trainer', () => {
  it('ignore what is no message: prints of libraries, torn lines, kinds that are not known here', () => {
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

  it('of another protocol version are an error that says what to do', () => {
    assert.throws(() => parseMessage('{"v":2,"type":"started"}'), hasCode('setup-incomplete'));
  });

  it('with wrong fields are an error, and a checkpoint path cannot hold more than a path', () => {
    assert.throws(() => parseMessage('{"v":1,"type":"progress","iteration":"ten"}'), hasCode('trainer-failed'));
    const sha256 = 'a'.repeat(64);
    assert.throws(
      () => parseMessage(JSON.stringify({ v: 1, type: 'checkpoint', iteration: 1, path: 'a\u0000b', sha256 })),
      hasCode('trainer-failed'),
    );
  });

  it('come out of the stream whole, however it is cut into pieces', () => {
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

  it('may not be longer than the bound', () => {
    const splitter = new LineSplitter(() => undefined, 100);
    assert.throws(() => splitter.push('x'.repeat(101)), hasCode('trainer-failed'));
  });
});
