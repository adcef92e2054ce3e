import assert from 'node:assert/strict';
import { loopDetails } from '../../../domain/loop/details.js';
import { nextStep } from '../../../domain/loop/status.js';
import type { LoopStatus } from '../../../domain/messages.js';

const failed = (error: string | null, phase: LoopStatus['phase'] = 'failed'): LoopStatus => ({
  ...{ loop: 'cars', phase, iteration: null, step: null, remaining: 1, pending: null, nextIteration: 2 },
  ...{ error, proposal: null, rows: [] },
});

describe('what is said to do about a failed loop', () => {
  it('is a retry, in the command and in the Temporal UI alike', () => {
    const terminated = failed('iteration 2: loop:cars:iteration:0002 was terminated');
    assert.equal(nextStep(terminated), '`partloop loop retry cars` continues after the last finished step.');
    assert.match(loopDetails(terminated, null), /was terminated\n`partloop loop retry cars`/);
  });

  it('is left to a failure that names its command itself, so that two do not contradict each other', () => {
    const damaged = failed('iteration 2: x is damaged\nMake it again: `partloop iteration replay cars 2 --from scan`.');
    assert.equal(nextStep(damaged), null);
    assert.match(loopDetails(damaged, null), /x is damaged\. Make it again: `partloop iteration replay/);
  });

  it('is nothing where nothing failed, or the loop runs again', () => {
    assert.equal(nextStep(failed(null)), null);
    assert.equal(nextStep(failed('iteration 2: boom', 'running')), null);
  });
});
