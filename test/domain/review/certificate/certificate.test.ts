import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CertifiedImage, certify } from '../../../../domain/review/certificate/certificate.js';
import { furtherReviews } from '../../../../domain/review/certificate/further.js';
import { certificateTexts, furtherTexts } from '../../../../domain/review/certificate/text.js';

const image = (fields: Partial<CertifiedImage> = {}): CertifiedImage => ({
  ...{ probability: 0.1, chance: 0.2, isDrawn: false, was: 'unknown', now: 'unknown' },
  ...fields,
});

/** 400 images; of the 80 drawn ones `wrong` were wrong. */
const sampled = (wrong: number, fields: Partial<CertifiedImage> = {}): CertifiedImage[] =>
  Array.from({ length: 400 }, (_, at) => {
    if (at >= 80) return image();
    if (at >= wrong) return image({ isDrawn: true, was: 'right', now: 'right' });
    return image({ isDrawn: true, was: 'wrong', now: 'wrong', ...fields });
  });
const certified = (images: readonly CertifiedImage[]) => {
  const certificate = certify(images);
  assert.ok(certificate !== null);
  return certificate;
};

const anyImage: fc.Arbitrary<CertifiedImage> = fc.record({
  probability: fc.double({ min: 0, max: 1, noNaN: true }),
  chance: fc.double({ min: 0.01, max: 1, noNaN: true }),
  isDrawn: fc.boolean(),
  was: fc.constantFrom<CertifiedImage['was']>('wrong', 'right', 'unknown'),
  now: fc.constantFrom<CertifiedImage['now']>('wrong', 'right', 'unknown', 'gone'),
});

describe('a certificate', () => {
  it('is none without an answer to a drawn image, whatever was said of others', () => {
    assert.equal(certify([]), null);
    assert.equal(certify([image({ isDrawn: true }), image({ was: 'wrong', now: 'wrong' })]), null);
  });

  it('never claims fewer wrong labels than are known, nor more than are left', () => {
    fc.assert(
      fc.property(fc.array(anyImage, { minLength: 1, maxLength: 40 }), (images) => {
        const certificate = certify(images);
        if (certificate === null || certificate.images === 0) return;
        const { low, value, high } = certificate.wrongShare;
        const known = certificate.knownWrong / certificate.images;
        assert.ok(known <= low && low <= value && value <= high && high <= 1, JSON.stringify(certificate));
        assert.ok(known <= certificate.atMost && certificate.atMost <= high);
        if (certificate.found !== null) {
          const { found } = certificate;
          assert.ok(found.low <= found.value && found.value <= found.high && found.high <= 1 + 1e-9);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('counts a corrected label as right: the bound falls by each', () => {
    const before = certified(sampled(20));
    const after = certified(sampled(20, { now: 'right' }));
    assert.equal(Math.round((before.atMost - after.atMost) * 400), 20);
    assert.deepEqual([before.knownWrong, before.settled, after.knownWrong, after.settled], [20, 0, 0, 20]);
    assert.deepEqual(before.found, after.found);
  });

  it('gains nothing from the removal of wrong images but their own absence', () => {
    const before = certified(sampled(20));
    const removed = certified(sampled(20, { now: 'gone' }));
    assert.equal(removed.images, 380);
    assert.equal(Math.round(removed.atMost * 380), Math.round(before.atMost * 400) - 20);
  });

  it('takes a suspect label that was found wrong outside the sample as a fact, not as a sample', () => {
    const suspects = (now: CertifiedImage['now']): CertifiedImage[] =>
      sampled(20).map((one, at) => (at >= 80 && at < 110 ? { ...one, was: 'wrong', now } : one));
    const [before, found, corrected] = [sampled(20), suspects('wrong'), suspects('right')].map(certified);
    assert.equal(found?.atMost, before?.atMost);
    assert.equal(Math.round(((found?.atMost ?? 0) - (corrected?.atMost ?? 0)) * 400), 30);
  });

  it('counts drawn images without an answer as wrong until they are answered', () => {
    const images = sampled(0).map(
      (one, at): CertifiedImage => (at < 20 ? { ...one, was: 'unknown', now: 'unknown' } : one),
    );
    const [some, all] = [certified(images), certified(sampled(0))];
    assert.ok(some.atMost > 2 * all.atMost);
    assert.equal(some.wrongShare.value, some.wrongShare.low);
    assert.match(certificateTexts(some).join(' '), /60 of 80 images drawn.*other 20 count as wrong/);
  });

  it('tells about how many reviews would bring the bound below a share', () => {
    const images = sampled(4).map((one, at) => (at >= 80 && at < 100 ? { ...one, probability: 0.9 } : one));
    const certificate = certified(images);
    const near = furtherReviews(images, certificate, certificate.atMost - 0.01);
    const far = furtherReviews(images, certificate, certificate.atMost - 0.04);
    assert.ok((near.suspects ?? 0) >= 4 && (near.suspects ?? 0) < (far.suspects ?? 400), JSON.stringify({ near, far }));
    assert.ok((near.audit ?? 0) > 80 && (near.audit ?? 0) <= (far.audit ?? 400));
    assert.deepEqual(furtherReviews(images, certificate, 0.9), { below: 0.9, open: 0, suspects: 0, audit: 0 });
    assert.match(furtherTexts(near).join(' '), /^To bring the bound below .* %: about \d+ reviews of the most suspect/);
    assert.match(furtherTexts({ ...near, suspects: null, audit: null }).join(' '), /^No number of reviews/);
  });
});
