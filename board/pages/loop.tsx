import type { LoopState } from '../../domain/loop/state.js';
import { shownFacts } from '../../domain/shownFacts.js';
import { STEPS, type StepResults } from '../../domain/steps.js';
import { toPoint } from '../../report/iterationPoints.js';
import { miouCurve } from '../../report/parts/charts.js';
import { Badge, Chart, duration, iou, signed, whole } from '../../report/parts/format.js';
import type { AuditCount } from '../audit/openCounts.js';
import { AuditLink } from './auditLink.js';
import { documentOf } from './layout.js';

const OUTCOMES: Readonly<Record<string, string>> = { hit: 'found done', miss: 'done', forced: 'done again' };

/**
 * A loop at a glance: quality by iteration, and what each step of each iteration did.
 *
 * @param audits by scan id
 */
export function loopPage(loop: string, { iterations }: LoopState, audits: ReadonlyMap<string, AuditCount>): string {
  const newest = iterations.toReversed();
  const points = iterations.map(({ iteration, current }) => toPoint({ iteration, ...current }));
  const hasCurve = points.some(({ miou }) => miou !== null);
  return documentOf({
    title: `Loop ${loop}`,
    script: null,
    body: (
      <body>
        <main class="page wide">
          <header class="top">
            <h1>Loop {loop}</h1>
            <p>
              <a href="/">All pools</a>
            </p>
          </header>
          {iterations.length === 0 && (
            <section>
              <p>No iteration has ended yet.</p>
            </section>
          )}
          {hasCurve && (
            <section>
              <h2>Quality by iteration</h2>
              <Chart svg={miouCurve(points)} />
            </section>
          )}
          {iterations.length > 0 && (
            <Iterations points={points.toReversed()} loop={loop} states={newest} audits={audits} />
          )}
          {newest.map(({ iteration, current }) => (
            <section id={`iteration-${iteration}`}>
              <h2>Iteration {iteration}</h2>
              {current.error !== null && <p role="alert">Failed: {current.error}</p>}
              <Steps results={current.results} />
            </section>
          ))}
        </main>
      </body>
    ),
  });
}

interface IterationsOf {
  loop: string;
  points: ReturnType<typeof toPoint>[];
  states: LoopState['iterations'];
  audits: ReadonlyMap<string, AuditCount>;
}

function Iterations({ loop, points, states, audits }: IterationsOf) {
  return (
    <section class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Iteration</th>
            {['Drawn', 'Set aside', 'Picked', 'Trained on', 'mIoU', 'Benchmark', 'Gain'].map((name) => (
              <th scope="col" class="n">
                {name}
              </th>
            ))}
            <th scope="col">Gate</th>
            <th scope="col" class="n">
              Time
            </th>
            <th scope="col">Open</th>
          </tr>
        </thead>
        <tbody>
          {points.map((point, index) => {
            const { iteration, miou, benchmarkMiou } = point;
            const gain = miou === null || benchmarkMiou === null ? null : miou - benchmarkMiou;
            const results = states[index]?.current.results;
            return (
              <tr>
                <td>
                  <a href={`#iteration-${iteration}`}>{iteration}</a>
                </td>
                <td class="n">{whole(point.drawn)}</td>
                <td class="n">{whole(point.quarantined)}</td>
                <td class="n">{whole(point.sampled)}</td>
                <td class="n">{whole(point.trainingSet)}</td>
                <td class="n">{iou(miou)}</td>
                <td class="n">{iou(benchmarkMiou)}</td>
                <td class="n">{signed(gain)}</td>
                <td>
                  <Badge of={point.gate} />
                </td>
                <td class="n">{duration(point.seconds)}</td>
                <td>
                  {results?.scan !== undefined && <a href={`/review/${loop}:${iteration}`}>Findings</a>}{' '}
                  {results?.scan !== undefined && (
                    <AuditLink scan={`${loop}:${iteration}`} count={audits.get(`${loop}:${iteration}`)} />
                  )}{' '}
                  {results?.report !== undefined && <a href={`/reports/${loop}/${iteration}`}>Report</a>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** What each step did, in order. */
function Steps({ results }: { results: StepResults }) {
  return (
    <table class="steps">
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Outcome</th>
          <th scope="col" class="n">
            Time
          </th>
          <th scope="col">What it found</th>
        </tr>
      </thead>
      <tbody>
        {STEPS.map((step) => {
          const result = results[step];
          if (result === undefined) return null;
          const facts = shownFacts(step, result).map(({ label, value }) => `${label}: ${value}`);
          return (
            <tr>
              <td>{step}</td>
              <td>{OUTCOMES[result.outcome] ?? result.outcome}</td>
              <td class="n">{duration(result.seconds)}</td>
              <td>
                {facts.length === 0 ? (
                  ''
                ) : (
                  <details>
                    <summary>{facts.slice(0, 3).join(' · ')}</summary>
                    <ul>
                      {facts.slice(3).map((fact) => (
                        <li>{fact}</li>
                      ))}
                    </ul>
                  </details>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
