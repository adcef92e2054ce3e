import assert from 'node:assert/strict';
import { loopDetails } from '../../../domain/loop/details.js';
import { nextStep } from '../../../domain/loop/status.js';
import type { IterationRow, LoopStatus } from '../../../domain/messages.js';

const failed = (error: string | null, phase: LoopStatus['phase'] = 'failed'): LoopStatus => ({
  ...{ loop: 'cars', phase, iteration: null, step: null, remaining: 1, pending: null, nextIteration: 2 },
  ...{ error, proposal: null, rows: [] },
});

describe('the advice about a failed loop', () => {
  it('is a retry, both as a command and in the Temporal UI', () => {
    const terminated = failed('iteration 2: loop:cars:iteration:0002 was terminated');
    assert.equal(nextStep(terminated), '`partloop loop retry cars` continues after the last finished step.');
    assert.match(
      loopDetails(terminated, null),
      /was terminated\n`partloop loop retry cars`.*\. The update `retryIteration` with `{}` does the same\./,
    );
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

describe("the table of iterations in a loop's details", () => {
  const row = (iteration: number, parts: Partial<IterationRow>): IterationRow => ({
    ...{ iteration, status: 'failed', drawn: null, flagged: null, sampled: null, trainingSet: null, leftOut: null },
    ...{ miou: null, benchmarkMiou: null, gate: null, seconds: 60, error: null, ...parts },
  });
  const shown = (...rows: IterationRow[]) =>
    loopDetails({ ...failed(null), rows }, null)
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.replaceAll('\u00a0', '')),
      );

  it('leaves out columns that say nothing of any iteration', () => {
    assert.deepEqual(shown(row(1, {})), [
      ['iteration', 'status', 'min'],
      ['---:', '---', '---:'],
      ['1', 'failed', '1.0'],
    ]);
  });

  it('begins with the quality of the model, and has a dash for a value that one iteration lacks', () => {
    const [heads, , , second] = shown(row(1, { status: 'finished', miou: 0.5, gate: 'first', drawn: 9 }), row(2, {}));
    assert.deepEqual(heads, ['iteration', 'status', 'mIoU', 'gate', 'drawn', 'min']);
    assert.deepEqual(second, ['2', 'failed', '–', '–', '–', '1.0']);
  });

  it('leads to the board where its address is known', () => {
    const details = loopDetails(failed(null), null, 'https://board.example.org/parts');
    assert.match(
      details,
      /While the board runs, it shows \[this loop\]\(https:\/\/board\.example\.org\/parts\/loops\/cars\)/,
    );
  });

  it('names the report only if an iteration finished', () => {
    const details = (parts: Partial<IterationRow>) => loopDetails({ ...failed(null), rows: [row(1, parts)] }, null);
    assert.doesNotMatch(details({}), /report open/);
    assert.match(details({ status: 'finished' }), /`partloop report open cars`/);
  });
});
