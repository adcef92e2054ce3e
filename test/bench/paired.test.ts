import assert from 'node:assert/strict';
import { detectable, pairedInterval } from '../../bench/metrics/paired.js';

describe('paired differences', () => {
  it('have the interval of a t test', () => {
    // Mean 1, standard error 0.4278, and Student's 2.776 for 4 degrees of freedom.
    const interval = pairedInterval([1.2, 0.4, 2.1, -0.3, 1.6]);
    assert.ok(Math.abs((interval?.mean ?? 0) - 1) < 1e-9);
    assert.ok(Math.abs((interval?.low ?? 0) - -0.1875) < 1e-3, String(interval?.low));
    assert.ok(Math.abs((interval?.high ?? 0) - 2.1875) < 1e-3);
  });

  it('have no interval for one pair', () => {
    assert.equal(pairedInterval([0.5]), null);
  });

  it('show smaller gains the more pairs there are', () => {
    assert.ok(detectable(8, 1) > detectable(16, 1));
    assert.ok(Math.abs(detectable(8, 1) - (2.365 + 0.8416) / Math.sqrt(8)) < 1e-3);
  });
});
