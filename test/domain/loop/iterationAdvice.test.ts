import assert from 'node:assert/strict';
import { iterationDetails } from '../../../domain/loop/details.js';
import { testConfig } from '../../support/standIns/fakeActivities.js';
import { stepResult } from '../../support/standIns/stepResult.js';

describe('the details of an iteration', () => {
  const of = { loop: 'cars', iteration: 3, config: testConfig };

  it('say how a candidate that waits goes into production, and where the report is', () => {
    const decide = stepResult('decide', { decision: 'd.json' }, { gate: 'held', pendingApproval: true });
    const text = iterationDetails(of, null, { decide, report: stepResult('report', { report: 'r.html' }) });
    assert.match(text, /`approveIteration`.*`partloop iteration approve cars 3`/);
    assert.match(text, /`partloop report open cars 3` opens its report, `r\.html`/);
  });

  it('say nothing of an approval that nobody waits for', () => {
    const decide = stepResult('decide', { decision: 'd.json' }, { gate: 'promoted', pendingApproval: false });
    assert.doesNotMatch(iterationDetails(of, null, { decide }), /approveIteration/);
  });
});
