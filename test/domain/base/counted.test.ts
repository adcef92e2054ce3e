import assert from 'node:assert/strict';
import { counted } from '../../../domain/base/counted.js';

describe('a count', () => {
  it('agrees with its noun and verb, singular or plural', () => {
    assert.deepEqual(
      [0, 1, 2, 11, 21, 101].map((count) => counted(count, 'image', 'images')),
      ['0 images', '1 image', '2 images', '11 images', '21 images', '101 images'],
    );
    assert.equal(counted(1, 'image is meant', 'images are meant'), '1 image is meant');
  });
});
