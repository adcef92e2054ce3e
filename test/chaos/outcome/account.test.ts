import assert from 'node:assert/strict';
import { Account } from './account.js';

describe('the iterations that a loop owes after random starts', () => {
  it('grow with each start, and not twice for a start that joins a waiting one', () => {
    const account = new Account();
    account.take(1, { outcome: 'started', nextIteration: 1, remaining: 1 });
    account.take(1, { outcome: 'queued', nextIteration: 1, remaining: 2 });
    account.take(1, { outcome: 'joined', nextIteration: 1, remaining: 2 });
    account.take(2, { outcome: 'joined', nextIteration: 2, remaining: 2 });
    assert.equal(account.owed, 3);
  });

  it('reveal an answer that loses or doubles earlier promises', () => {
    const account = new Account();
    account.take(2, { outcome: 'started', nextIteration: 1, remaining: 2 });
    assert.throws(() => account.take(1, { outcome: 'queued', nextIteration: 1, remaining: 2 }), /promises iteration 2/);
    assert.throws(() => account.take(1, { outcome: 'queued', nextIteration: 1, remaining: 4 }), /promises iteration 4/);
    assert.throws(
      () => account.take(1, { outcome: 'resumed', nextIteration: 1, remaining: 1 }),
      /promises iteration 1/,
    );
  });
});
