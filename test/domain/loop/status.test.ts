import assert from 'node:assert/strict';
import { loopDetails } from '../../../domain/loop/details.js';
import { nextStep } from '../../../domain/loop/status.js';
import type { LoopStatus } from '../../../domain/messages.js';

const failed = (error: string | null, phase: LoopStatus['phase'] = 'failed'): LoopStatus => ({
  ...{ loop: 'cars', phase, iteration: null, step: null, remaining: 1, pending: null, nextIteration: 2 },
  ...{ error, proposal: null, rows: [] },
});

describe('the advice about a failed loop', () => {
  it('is a retry, both as a command and in the Temporal UI', () => {
    const terminated = failed('iteration 2: loop:cars:iteration:0002 was terminated');
    assert.equal(nextStep(terminated), '`partloop loop retry cars` continues after the last finished step.');
    assert.match(loopDetails(terminated, null), /was terminated\n`partloop loop retry cars`/);
  });

  it('leaves out the retry if the failure names its own command, so that hints do not contradict each other', () => {
    const damaged = failed('iteration 2: x is damaged\nMake it again: `partloop iteration replay cars 2 --from scan`.');
    assert.equal(nextStep(damaged), null);
    assert.match(loopDetails(damaged, null), /x is damaged\. Make it again: `partloop iteration replay/);
  });

  it('is empty if nothing failed, or the loop runs again', () => {
    assert.equal(nextStep(failed(null)), null);
    assert.equal(nextStep(failed('iteration 2: boom', 'running')), null);
  });
});
