import assert from 'node:assert/strict';
import fc from 'fast-check';
import { imageFinder, mayBeNamed, type NamedImage } from '../../../domain/images/imageFinder.js';

const image = (fileName: string, imageId?: string): NamedImage =>
  imageId === undefined ? { fileName } : { fileName, imageId };

/** Names of the images found. */
function found(images: readonly NamedImage[], name: string): string[] {
  const outcome = imageFinder(images)(name);
  if (outcome === null) return [];
  return ('image' in outcome ? [outcome.image] : outcome.several).map(({ fileName }) => fileName);
}

describe('finding images by name', () => {
  it('prefers a whole name to the last part of another name', () => {
    const images = [image('front/1.jpg'), image('1.jpg'), image('back/2.jpg')];
    assert.deepEqual(found(images, '1.jpg'), ['1.jpg']);
    assert.deepEqual(found(images, 'front/1.jpg'), ['front/1.jpg']);
    assert.deepEqual(found(images, '2.jpg'), ['back/2.jpg']);
    assert.deepEqual(found(images, 'ack/2.jpg'), []);
  });

  it('finds several if a last part fits several', () => {
    assert.deepEqual(found([image('a/1.jpg'), image('b/1.jpg')], '1.jpg'), ['a/1.jpg', 'b/1.jpg']);
  });

  it('takes an id or its first 12 digits, if images have ids', () => {
    const id = '0123456789abcdef'.repeat(4);
    const images = [image('a.jpg', id), image('b.jpg')];
    for (const name of [id, id.slice(0, 12), id.slice(0, 30)]) assert.deepEqual(found(images, name), ['a.jpg']);
    assert.deepEqual(found(images, id.slice(0, 11)), []);
  });

  it('ignores how letters of a name are composed in Unicode', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (name) => {
        fc.pre(!name.includes('/'));
        for (const form of ['NFC', 'NFD'])
          for (const other of ['NFC', 'NFD'])
            assert.equal(found([image(`x/${name.normalize(form)}`)], name.normalize(other)).length, 1);
      }),
    );
  });

  it('finds the same among those alone that may be meant as among all', () => {
    const part = fc.constantFrom('a', 'b', 'e\u0301', '\u00e9', 'c.jpg');
    const name = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    const id = fc
      .constantFrom('0', '1', 'f')
      .chain((first) => fc.constantFrom('0', '1').map((last) => `${first.repeat(12)}${'ab'.repeat(25)}0${last}`));
    const images = fc.uniqueArray(fc.record({ fileName: name, imageId: id }), { selector: ({ imageId }) => imageId });
    const asked = fc.oneof(
      name,
      id,
      id.chain((whole) => fc.integer({ min: 10, max: 63 }).map((digits) => whole.slice(0, digits))),
    );
    fc.assert(
      fc.property(images, fc.array(asked, { maxLength: 3 }), (all, names) => {
        const some = all.filter(mayBeNamed(names));
        for (const one of names) assert.deepEqual(imageFinder(some)(one), imageFinder(all)(one));
        if (names.length === 0) assert.deepEqual(some, []);
      }),
    );
  });
});
