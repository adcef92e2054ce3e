import type { LoopState } from '../../domain/loop/state.js';
import { toPoint } from '../../report/iterationPoints.js';
import { miouCurve } from '../../report/parts/charts.js';
import { Badge, Chart, duration, iou, signed, whole } from '../../report/parts/format.js';
import type { AuditCount } from '../audit/openCounts.js';
import type { Form } from '../loops/deeds.js';
import type { LoopView, Told } from '../loops/loopView.js';
import { AuditLink } from './auditLink.js';
import { documentOf } from './layout.js';
import { Now, Outcome } from './loopNow.js';
import { Buttons, Requests } from './loopSteering.js';
import { Steps } from './loopSteps.js';

interface LoopPage {
  view: LoopView;
  /** How much of the audit samples is open, by scan id. */
  audits: ReadonlyMap<string, AuditCount>;
  reviewer: string | null;
  /** What became of a request. */
  notice?: string;
  /** Why a request was refused, and what was typed. */
  refusal?: Told;
  typed?: Form;
}

/** A loop at a glance: what it is at, what can be asked of it, quality by iteration, and what each step did. */
export function loopPage({ view, audits, reviewer, notice, refusal, typed = {} }: LoopPage): string {
  const { loop, record } = view;
  const { iterations } = record;
  const newest = iterations.toReversed();
  const points = iterations.map(({ iteration, current }) => toPoint({ iteration, ...current }));
  const hasCurve = points.some(({ miou }) => miou !== null);
  return documentOf({
    title: `Loop ${loop}`,
    script: 'loop.js',
    body: (
      <body>
        <main class="page wide">
          <header class="top">
            <h1>Loop {loop}</h1>
            <p>
              <a href="/loops">All loops</a> <a href="/">All pools</a>
            </p>
          </header>
          <Outcome {...{ notice, refusal }} />
          <Now view={view} />
          <Buttons view={view} reviewer={reviewer} typed={typed} />
          <Requests view={view} reviewer={reviewer} typed={typed} />
          <div id="record" data-live>
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
                <Steps id={`facts-${iteration}`} results={current.results} />
              </section>
            ))}
          </div>
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
                  {results?.report !== undefined && <a href={`/reports/${loop}/${iteration}`}>Report</a>}{' '}
                  {results?.evaluate !== undefined && (
                    <a href={`/loops/${loop}/${iteration}/worst`}>Worst test images</a>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
