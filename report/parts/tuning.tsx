import type { Tuning } from '../../domain/tune/proposal.js';
import { settingsText, trialLines } from '../../domain/tune/table.js';
import { duration, iou, signed, whole } from './format.js';

/** The trials of the search after this iteration, and its proposal. */
export function TuningTable({ loop, tuning }: { loop: string; tuning: Tuning }) {
  const { proposal, rungs, stopped } = tuning;
  return (
    <section id="tuning">
      <h2>Training settings tried</h2>
      <p class="note">
        mIoU on the validation images, never on test images. One seed for all trials; the best of each rung continue.
      </p>
      {proposal === null ? (
        <p>No trial beats the present settings by the required gain.</p>
      ) : (
        <p>
          <b>{settingsText(proposal.settings)}</b> reach {iou(proposal.miou)},{' '}
          {signed(proposal.miou - proposal.ownMiou)} compared with the present settings.{' '}
          <code>partloop loop adopt {loop}</code> adopts them, unless <code>tune.adopt</code> is auto.
        </p>
      )}
      {stopped !== null && <p>The search ended early: {stopped}.</p>}
      <table>
        <thead>
          <tr>
            <th>Trial</th>
            {rungs.map((end) => (
              <th class="n">after {whole(end)}</th>
            ))}
            <th class="n">Time</th>
            <th>State</th>
            <th>Settings</th>
          </tr>
        </thead>
        <tbody>
          {trialLines(tuning.trials, rungs.length).map((line) => (
            <tr>
              <td>{line.trial}</td>
              {line.values.map((value) => (
                <td class="n">{iou(value)}</td>
              ))}
              <td class="n">{duration(line.minutes * 60)}</td>
              <td>{line.state}</td>
              <td>{line.settings}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
