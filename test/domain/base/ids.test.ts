import assert from 'node:assert/strict';
import { standaloneScanId } from '../../../domain/base/ids.js';

describe('the name of a standalone scan', () => {
  it('is the one in its workflow’s id', () => {
    assert.equal(standaloneScanId('scan:spring', '01a21ac0-1fd9-76cd-a181-5c3a9ef2fb46'), 'spring');
  });

  it('differs for each run of an id that a person chose, even if two start at the same moment', () => {
    const [first, second] = ['01a21ac0-1fd9-76cd-a181-5c3a9ef2fb46', '01a21ac0-1fd9-76d1-8f3e-0b9d2c4415a7'].map(
      (runId) => standaloneScanId('my scan', runId),
    );
    assert.notEqual(first, second);
    assert.match(first ?? '', /^scan-[0-9a-f]{12}$/);
  });
});
