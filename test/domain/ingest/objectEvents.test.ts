import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dropOfMarker } from '../../../domain/ingest/drop.js';
import { dropsOfEvent, placeOfStore } from '../../../domain/ingest/objectEvents.js';

const PLACE = { bucket: 'clients', prefix: 'store/' };
const record = (key: string, bucket = 'clients', eventName = 'ObjectCreated:Put') => ({
  ...{ eventVersion: '2.1', eventSource: 'aws:s3', eventName },
  s3: { s3SchemaVersion: '1.0', bucket: { name: bucket, arn: 'arn:aws:s3:::x' }, object: { key, size: 0, eTag: 'e' } },
});

describe('an event of an object store', () => {
  it('names the drops whose markers were written, in the form of S3 and of servers that follow it', () => {
    const Records = [
      record('store/inbox/cars/2026-11-27/_COMPLETE'),
      record('store/inbox/cars/d%2B1/_COMPLETE'),
      record('store/inbox/cars/d2/images/1.jpg'),
      record('store/inbox/cars/d3/_COMPLETE', 'others'),
      record('store/inbox/cars/d4/_COMPLETE', 'clients', 'ObjectRemoved:Delete'),
      record('store/inbox/vans/d5/_COMPLETE', 'clients', 's3:ObjectCreated:CompleteMultipartUpload'),
      record('elsewhere/inbox/cars/d6/_COMPLETE'),
      record('store/inbox/cars/deep/er/_COMPLETE'),
    ];
    assert.deepEqual(dropsOfEvent({ EventName: 's3:ObjectCreated:Put', Key: 'x', Records }, PLACE), [
      { pool: 'cars', drop: '2026-11-27' },
      { pool: 'vans', drop: 'd5' },
    ]);
  });

  it('may come through EventBridge, which does not encode keys', () => {
    const event = (key: string, type = 'Object Created') => ({
      ...{ version: '0', 'detail-type': type, source: 'aws.s3' },
      detail: { bucket: { name: 'clients' }, object: { key, size: 0 } },
    });
    const marker = 'store/inbox/cars/d1/_COMPLETE';
    assert.deepEqual(dropsOfEvent(event(marker), PLACE), [{ pool: 'cars', drop: 'd1' }]);
    assert.deepEqual(dropsOfEvent(event('store/inbox/cars/d1/1.jpg'), PLACE), []);
    assert.equal(dropsOfEvent(event(marker, 'Object Deleted'), PLACE), null);
  });

  it('is nothing else, whatever it holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const drops = dropsOfEvent(value, PLACE);
        assert.ok(drops === null || drops.length === 0);
      }),
    );
  });

  it('leads to no key beside an inbox', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        for (const key of [text, `inbox/${text}`, `inbox/cars/${text}/_COMPLETE`, `inbox/${text}/d1/_COMPLETE`]) {
          const found = dropOfMarker(key);
          if (found !== null) assert.equal(`inbox/${found.pool}/${found.drop}/_COMPLETE`, key);
        }
      }),
    );
    assert.equal(dropOfMarker('inbox/cars/../_COMPLETE'), null);
    assert.equal(dropOfMarker('inbox/CARS/d1/_COMPLETE'), null);
  });
});

describe('the address of a store', () => {
  it('has a bucket, and a prefix that ends with a slash or is empty', () => {
    assert.deepEqual(placeOfStore('s3://b/a/c'), { bucket: 'b', prefix: 'a/c/' });
    assert.deepEqual(placeOfStore('s3://b/a/'), { bucket: 'b', prefix: 'a/' });
    for (const uri of ['s3://b', 's3://b/']) assert.deepEqual(placeOfStore(uri), { bucket: 'b', prefix: '' });
  });
});
