import assert from 'node:assert/strict';
import sharp from 'sharp';
import { strippedJpeg } from '../../inference/normalForm.js';

const noise = { create: { width: 90, height: 60, channels: 3, background: '#808080', noise: gaussian() } } as const;
function gaussian() {
  return { type: 'gaussian', mean: 128, sigma: 40 } as const;
}

describe('a JPEG that is copied unchanged for training', () => {
  const kinds = { baseline: { progressive: false }, progressive: { progressive: true } };
  for (const [name, options] of Object.entries(kinds)) {
    const jpeg = () => sharp(noise).jpeg(options).toBuffer();

    it(`is cut at its end if more bytes follow: ${name}`, async () => {
      const file = await jpeg();
      const stripped = strippedJpeg(file);
      assert.ok(stripped);
      assert.deepEqual([...stripped.subarray(-2)], [0xff, 0xd9]);
      const longer = Buffer.concat([file, Buffer.from([1, 2, 0xff, 0x45, 0x64, 0xfa])]);
      assert.deepEqual(strippedJpeg(longer), stripped);
      const [before, after] = await Promise.all([file, stripped].map((each) => sharp(each).raw().toBuffer()));
      assert.deepEqual(after, before);
    });

    it(`must have an end, since some decoders fail on bytes that follow: ${name}`, async () => {
      const file = await jpeg();
      const open = file.subarray(0, -2);
      assert.equal(strippedJpeg(open), null);
      assert.equal(strippedJpeg(Buffer.concat([open, Buffer.from('ff4564fa1100a6df', 'hex')])), null);
      assert.equal(strippedJpeg(Buffer.concat([open, Buffer.from([0xff])])), null);
    });
  }
});
