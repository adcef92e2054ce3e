import assert from 'node:assert/strict';
import { findingId } from '../../../../domain/scan/verdict/findingId.js';

describe('the id of a finding', () => {
  it('stays if its box moves within its grid cell, and changes with the label', () => {
    const id = findingId('a', 'b', 'missing_part', [0, 3], [16, 16, 40, 40]);
    assert.match(id, /^[0-9a-f]{24}$/);
    assert.equal(findingId('a', 'b', 'missing_part', [0, 3], [17, 15, 41, 39]), id);
    assert.notEqual(findingId('a', 'c', 'missing_part', [0, 3], [16, 16, 40, 40]), id);
  });
});
