import assert from 'node:assert/strict';
import { PartloopError } from '../../domain/base/errors.js';
import { JsonLists } from '../../formats/reading/jsonLists.js';

describe('the lists of a JSON file', () => {
  it('are JSON, in the order of the items, also if empty', () => {
    const lists = new JsonLists<'a' | 'b'>('file.json');
    lists.add([
      ['a', { one: 1 }],
      ['b', { text: 'ü"\n' }],
      ['a', { two: 2 }],
    ]);
    assert.deepEqual(JSON.parse([...lists.text('a')].join('')), [{ one: 1 }, { two: 2 }]);
    assert.deepEqual(JSON.parse([...lists.text('b')].join('')), [{ text: 'ü"\n' }]);
    assert.equal([...new JsonLists('file.json').text('a')].join(''), '[]');
    const many = Array.from({ length: 1_201 }, (_, id) => ({ id }));
    lists.add(many.map((item) => ['b', item] as const));
    assert.deepEqual(JSON.parse([...lists.text('b')].join('')), [{ text: 'ü"\n' }, ...many]);
  });

  it('take all or nothing of an image, and smaller images after one that was too large', () => {
    const lists = new JsonLists<'images' | 'annotations'>('file.json', 40);
    lists.add([['images', { id: 1 }]]);
    assert.throws(
      () =>
        lists.add([
          ['images', { id: 2 }],
          ['annotations', { text: 'x'.repeat(40) }],
        ]),
      (error) => error instanceof PartloopError && error.code === 'data-invalid' && /file\.json/.test(error.message),
    );
    lists.add([['images', { id: 3 }]]);
    assert.equal([...lists.text('images')].join(''), '[{"id":1},{"id":3}]');
    assert.deepEqual([lists.count('images'), lists.count('annotations')], [2, 0]);
  });
});
