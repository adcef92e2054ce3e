import type { ReportData, StepCost } from '../data.js';
import { Badge, duration, whole } from './format.js';

/** The cost of each step, and the settings. */
export function Run({ data }: { data: ReportData }) {
  const { costs } = data;
  const all = costs.reduce((sum, { seconds }) => sum + seconds, 0);
  const hasBefore = costs.some(({ before }) => before !== null);
  return (
    <section id="run">
      <h2>Run</h2>
      <p class="note">
        Times are those of a clock, with the wait for a worker. A scan has the training of its own judges in it. A step
        that was found done has the time and the rate of its first run.
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Step</th>
              <th class="n">Time</th>
              <th class="n">Share</th>
              {hasBefore && <th class="n">Last iteration</th>}
              <th class="n">Work</th>
              <th class="n">Rate</th>
              <th>Done</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {costs.map((cost) => (
              <tr>
                <td>{cost.step}</td>
                <td class="n">{duration(cost.seconds)}</td>
                <td class="n">{all === 0 ? '–' : `${Math.round((100 * cost.seconds) / all)} %`}</td>
                {hasBefore && <td class="n">{cost.before === null ? '–' : duration(cost.before)}</td>}
                <td class="n">{cost.work === null ? '–' : `${whole(cost.work.count)} ${cost.work.unit}`}</td>
                <td class="n">{rate(cost)}</td>
                <td>
                  <Badge
                    of={cost.outcome === 'hit' ? 'found done' : cost.outcome === 'forced' ? 'done again' : 'now'}
                  />
                </td>
                <td>
                  <span class="bar" style={`width:${all === 0 ? 0 : Math.round((160 * cost.seconds) / all)}px`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">
        Trace <code>{data.trace}</code>
      </p>
      <details>
        <summary>Configuration</summary>
        <pre>{JSON.stringify(data.config, null, 2)}</pre>
      </details>
    </section>
  );
}

/** Below ten per second with two places, above without. */
function rate({ work, seconds }: StepCost): string {
  if (work === null || work.count === 0 || seconds <= 0) return '–';
  const each = work.count / seconds;
  return `${each < 10 ? each.toFixed(2) : whole(Math.round(each))} ${work.unit}/s`;
}
