import type { ReportData } from '../data.js';

/** What is different from the last iteration, in words. */
export function ChangesSince({ data: { changes } }: { data: ReportData }) {
  if (changes === null) return null;
  return (
    <section id="changes">
      <h2>Changes since iteration {changes.since}</h2>
      <table class="words">
        <tbody>
          {changes.lines.map(({ what, text }) => (
            <tr>
              <th>{what}</th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
