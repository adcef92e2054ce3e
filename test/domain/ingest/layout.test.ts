import assert from 'node:assert/strict';
import fc from 'fast-check';
import { markerSchema } from '../../../domain/ingest/drop.js';
import { layoutOf } from '../../../domain/ingest/layout.js';

const layout = (files: string[], marker = {}) => layoutOf(new Set(files), markerSchema.parse(marker));
const labels = (files: string[], marker = {}) => {
  const found = layout(files, marker);
  return typeof found === 'string' ? found : found.labels;
};

describe('the layout of a drop', () => {
  it('has index masks if there is a manifest', () => {
    assert.deepEqual(labels(['manifest.jsonl', 'a.jpg', 'a.png']), { format: 'masks', manifest: 'manifest.jsonl' });
    assert.deepEqual(labels(['x/list.jsonl', 'coco.json'], { manifest: 'x/list.jsonl' }), {
      ...{ format: 'masks', manifest: 'x/list.jsonl' },
    });
  });

  it('has COCO labels if there is one JSON file on top or in annotations/', () => {
    assert.deepEqual(labels(['instances.json', 'images/a.jpg', 'deep/er/b.json']), {
      ...{ format: 'coco', annotations: 'instances.json', folders: ['', 'images/'] },
    });
    assert.deepEqual(labels(['annotations/i.json', 'removals.json', 'a.jpg']), {
      ...{ format: 'coco', annotations: 'annotations/i.json', folders: ['annotations/', '', 'images/'] },
    });
    assert.deepEqual(labels(['a.json', 'b.json'], { annotations: 'b.json', images: 'pics' }), {
      ...{ format: 'coco', annotations: 'b.json', folders: ['pics/'] },
    });
  });

  it('may be of one format although files of the other are there, if its marker says so', () => {
    const files = ['manifest.jsonl', 'coco.json'];
    assert.deepEqual(labels(files, { format: 'coco' }), {
      ...{ format: 'coco', annotations: 'coco.json', folders: ['', 'images/'] },
    });
    assert.deepEqual(labels(files, { format: 'masks' }), { format: 'masks', manifest: 'manifest.jsonl' });
  });

  it('may have removal requests alone', () => {
    const found = layout(['removals.json']);
    assert.deepEqual(found, { labels: null, tags: null, removals: 'removals.json', documents: ['removals.json'] });
  });

  it('is refused with a sentence if its labels cannot be told', () => {
    assert.match(String(layout(['a.jpg'])), /no manifest\.jsonl, no COCO file/);
    assert.match(String(layout(['a.json', 'b.json'])), /several JSON files: a\.json, b\.json; name one/);
    assert.match(String(layout(['a.jpg'], { format: 'coco' })), /says coco, but there is no JSON file/);
    assert.match(String(layout(['a.json'], { format: 'masks' })), /says masks, but there is no manifest/);
    assert.match(String(layout(['a.json'], { annotations: 'b.json' })), /names b\.json, which is not in the drop/);
  });

  it('names only files that are there', () => {
    const names = fc.constantFrom(
      'a.json',
      'annotations/b.json',
      'manifest.jsonl',
      'tags.csv',
      'removals.json',
      'i/1.jpg',
    );
    const marker = fc.record(
      { format: fc.constantFrom('coco', 'masks'), annotations: names, manifest: names, tags: names },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.uniqueArray(names), marker, (files, said) => {
        const found = layout(files, said);
        if (typeof found === 'string') return;
        for (const document of found.documents) assert.ok(new Set<string>(files).has(document), document);
        assert.ok(found.labels !== null || found.removals !== null);
      }),
    );
  });

  it('never leads out of the drop', () => {
    for (const annotations of ['/etc/x.json', '../x.json', 'a/../../x.json', ''])
      assert.equal(markerSchema.safeParse({ annotations }).success, false, annotations);
  });
});
