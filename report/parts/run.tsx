import type { ReportData } from '../data.js';
import { Badge, duration } from './format.js';

/** The duration of each step, and the settings. */
export function Run({ data }: { data: ReportData }) {
  return (
    <section id="run">
      <h2>Run</h2>
      <div class="two">
        <table>
          <thead>
            <tr>
              <th>Step</th>
              <th class="n">Time</th>
              <th>Done</th>
            </tr>
          </thead>
          <tbody>
            {data.seconds.map((entry) => (
              <tr>
                <td>{entry.step}</td>
                <td class="n">{duration(entry.seconds)}</td>
                <td>
                  <Badge
                    of={entry.outcome === 'hit' ? 'found done' : entry.outcome === 'forced' ? 'done again' : 'now'}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <p>
          Trace <code>{data.trace}</code>
        </p>
        <details>
          <summary>Configuration</summary>
          <pre>{JSON.stringify(data.config, null, 2)}</pre>
        </details>
      </div>
    </section>
  );
}
