import assert from 'node:assert/strict';
import { Account } from './account.js';

describe('what a loop owes after starts at random', () => {
  it('grows by what is started and queued, and by no more for a start that joins one that waits', () => {
    const account = new Account();
    account.take(1, { outcome: 'started', nextIteration: 1, remaining: 1 });
    account.take(1, { outcome: 'queued', nextIteration: 1, remaining: 2 });
    account.take(1, { outcome: 'joined', nextIteration: 1, remaining: 2 });
    account.take(2, { outcome: 'joined', nextIteration: 2, remaining: 2 });
    assert.equal(account.owed, 3);
  });

  it('finds an answer that loses what was promised before, and one that doubles it', () => {
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
