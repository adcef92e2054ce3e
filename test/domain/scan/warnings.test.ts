import assert from 'node:assert/strict';
import { fewImagesWarning, scanWarnings } from '../../../domain/scan/warnings.js';

const fine = { images: 600, cards: [{ valClassIou: { hood: 0.8 } }], minClassIou: 0.3, failedShards: [], folds: [] };

describe('the warnings of a scan', () => {
  it('are none if there are enough images and the judges know the classes', () => {
    assert.deepEqual(scanWarnings(fine), []);
    assert.deepEqual(fewImagesWarning(100), []);
  });

  it('say that the numbers are assumptions if there are under a hundred images', () => {
    assert.match(fewImagesWarning(99)[0] ?? '', /^99 images are too few .* fewer than 100,/);
    assert.match(scanWarnings({ ...fine, images: 1 })[0] ?? '', /^1 image is too few/);
  });

  it('count the classes that any judge is weak at, and name the first', () => {
    const weak = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [`part-${String(at).padStart(2, '0')}`, 0.1]),
    );
    const known: Record<string, number | null> = { hood: 0.8, wheel: null };
    const cards = [{ valClassIou: known }, { valClassIou: { hood: 0.9, ...weak } }];
    const [warning = ''] = scanWarnings({ ...fine, cards });
    assert.match(warning, /^the judges are weak at 12 of 13 classes \(validation IoU below 0\.3\)/);
    assert.match(warning, /part-00, .*part-07, …\./);
    assert.doesNotMatch(warning, /hood|wheel|part-08/);
  });

  it('name the images that folds and shards went without', () => {
    const folds = [null, '2 gone'].map((leftOutWhy) => ({ facts: { leftOutWhy } }));
    assert.deepEqual(scanWarnings({ ...fine, folds, failedShards: [3, 7] }), [
      'fold 1 was trained without some images: 2 gone',
      'shards that failed and are not judged: 3, 7',
    ]);
  });
});
