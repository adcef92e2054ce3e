import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { FAILURES, type FailureCode } from '../../../domain/base/failures/failure.js';
import {
  allowedLeftOut,
  isFaultOfImage,
  kindsText,
  type LeftOut,
  leftOutBy,
  tooManyLeftOut,
} from '../../../domain/images/leftOut.js';
import { idOf } from '../sample/rows.js';

const image = (n: number, kind: LeftOut['kind']): LeftOut => ({
  imageId: idOf(n),
  fileName: `${n}.jpg`,
  kind,
  reason: `there is no object images/${n}`,
});

describe('images that are left out', () => {
  it('are only images that are bad themselves: a store that is away does not count against them', () => {
    const row = { imageId: idOf(1), fileName: '1.jpg' };
    const kinds = (Object.keys(FAILURES) as FailureCode[]).flatMap((code) => {
      const error = new PartloopError(code, 'what happened');
      if (isFaultOfImage(error)) return [[code, leftOutBy(row, error).kind]];
      assert.throws(
        () => leftOutBy(row, error),
        (thrown) => thrown === error,
      );
      return [];
    });
    assert.deepEqual(Object.fromEntries(kinds), {
      'not-found': 'gone',
      'data-changed': 'changed',
      'data-invalid': 'unreadable',
    });
    assert.throws(() => leftOutBy(row, new Error('socket hang up')), /socket hang up/);
    assert.equal(isFaultOfImage(new Error('socket hang up')), false);
  });

  it('may reach the share but never exceed a quarter of a set, and one may always be left out of four', () => {
    const share = fc.double({ min: 0.001, max: 0.25, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), share, (images, part) => {
        const allowed = allowedLeftOut(images, part);
        assert.ok(allowed >= Math.floor(images * part) && allowed <= images / 4);
        assert.ok(images < 4 || allowed >= 1);
        assert.ok(allowedLeftOut(images + 1, part) >= allowed);
        assert.equal(allowedLeftOut(images, 0), 0);
      }),
    );
  });

  it('end the step above the share, with the count, the first images, the list and what to do', () => {
    const allowance = { images: 40, share: 0.01, what: 'training', pool: 'cars' };
    const bad = [image(1, 'gone'), image(2, 'changed'), image(3, 'gone'), image(4, 'unreadable')];
    const { code, message, hint = '' } = tooManyLeftOut(bad, allowance, 's3://b/too-many.json');
    assert.equal(code, 'data-invalid');
    assert.match(message, /^4 of 40 training images of pool `cars` .*\(2 gone, 1 changed, 1 unreadable\), 3 may/);
    assert.match(message, /1\.jpg is gone: there is no object images\/1;/);
    assert.match(message, /All are listed in s3:\/\/b\/too-many\.json$/);
    assert.match(hint, /partloop pool remove cars --images s3:\/\/b\/too-many\.json`/);
    assert.equal(kindsText([]), null);
  });
});
