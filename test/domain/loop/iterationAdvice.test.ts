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

  it('lead to the board where its address is known, and say that it has to run', () => {
    const results = { scan: stepResult('scan'), report: stepResult('report', { report: 'r.html' }) };
    const text = iterationDetails(of, null, results, 'http://127.0.0.1:8236');
    assert.match(text, /While the board runs, it shows .*\(http:\/\/127\.0\.0\.1:8236\/review\/cars:3\)/);
    assert.match(text, /\(http:\/\/127\.0\.0\.1:8236\/reports\/cars\/3\)/);
    assert.doesNotMatch(iterationDetails(of, null, results), /http/);
  });

  it('say nothing of an approval that nobody waits for', () => {
    const decide = stepResult('decide', { decision: 'd.json' }, { gate: 'promoted', pendingApproval: false });
    assert.doesNotMatch(iterationDetails(of, null, { decide }), /approveIteration/);
  });
});
