import type { Calibration } from '../../domain/evaluate/calibration.js';
import type { ReportData } from '../data.js';
import { classChart } from './charts.js';
import { Chart, Difference, iou, percent, points, signed, whole } from './format.js';

/** Less is not worth a word. */
const LITTLE = 0.005;

/** Every class, and every value of every tag. */
export function Classes({ data }: { data: ReportData }) {
  return (
    <section id="classes">
      <h2>Classes and views</h2>
      <p class="legend">
        <i style="background:var(--candidate)" />
        candidate (diamond: minor part)
        <i style="border:2px solid var(--benchmark)" />
        benchmark
      </p>
      <Chart svg={classChart(data.classes)} />
      {data.calibration === null ? null : <p class="note">{calibrationText(data.calibration)}</p>}
      <details>
        <summary>Figures by class</summary>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Class</th>
                <th>Group</th>
                <th class="n">Test images</th>
                <th class="n">IoU</th>
                <th class="n">Recall</th>
                <th class="n">Benchmark</th>
                <th class="n">Gain</th>
                <th class="n">Calibration error</th>
                <th class="n">Surer than right</th>
              </tr>
            </thead>
            <tbody>
              {data.classes.map((entry) => (
                <tr>
                  <td>{entry.name}</td>
                  <td>{entry.group}</td>
                  <td class="n">{entry.images}</td>
                  <td class="n">{iou(entry.iou)}</td>
                  <td class="n">{percent(entry.recall)}</td>
                  <td class="n">{iou(entry.benchmarkIou)}</td>
                  <td class="n">
                    <Difference
                      of={entry.iou === null || entry.benchmarkIou === null ? null : entry.iou - entry.benchmarkIou}
                    />
                  </td>
                  <td class="n">{iou(entry.calibration?.error ?? null)}</td>
                  <td class="n">{signed(entry.calibration?.excess ?? null)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
      <Confusions confusions={data.confusions} hasBenchmark={data.decision.benchmark !== null} />
      <ByTag data={data} />
    </section>
  );
}

/** The largest confusions by pixels. */
function Confusions({ confusions, hasBenchmark }: { confusions: ReportData['confusions']; hasBenchmark: boolean }) {
  if (confusions.length === 0) return null;
  return (
    <>
      <h3>Most frequent confusions</h3>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Label</th>
              <th>Prediction</th>
              <th class="n">Pixels</th>
              <th class="n">Share of the label</th>
              {hasBenchmark && <th class="n">Benchmark</th>}
              {hasBenchmark && <th class="n">Points</th>}
            </tr>
          </thead>
          <tbody>
            {confusions.map(({ given, predicted, pixels, share, benchmarkShare }) => (
              <tr>
                <td>{given}</td>
                <td>{predicted}</td>
                <td class="n">{whole(pixels)}</td>
                <td class="n">{percent(share, 1)}</td>
                {hasBenchmark && <td class="n">{percent(benchmarkShare, 1)}</td>}
                {hasBenchmark && (
                  <td class="n">{benchmarkShare === null ? '–' : <Fewer of={share - benchmarkShare} />}</td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** A difference of shares of mistakes: less is better. */
function Fewer({ of }: { of: number }) {
  return <span class={Math.abs(of) < 5e-4 ? '' : of < 0 ? 'up' : 'down'}>{points(of)}</span>;
}

/** mIoU of every value of every tag, beside the benchmark and the last iteration. */
function ByTag({ data: { slices } }: { data: ReportData }) {
  const tags = [...new Set(slices.map((slice) => slice.tag))];
  if (tags.length === 0) return <p class="note">The test images have no tags, so there are no views to compare.</p>;
  const hasLast = slices.some(({ change }) => change !== null);
  const hasBounds = slices.some(({ bounds }) => bounds !== null);
  return (
    <>
      <h3>By tag</h3>
      {hasBounds && <p class="note">Gains have bounds if the gate judges exactly these images.</p>}
      <div class="two wide">
        {tags.map((tag) => (
          <table>
            <thead>
              <tr>
                <th>{tag}</th>
                <th class="n">Images</th>
                <th class="n">mIoU</th>
                <th class="n">Benchmark</th>
                <th class="n">Gain</th>
                {hasLast && <th class="n">Since last</th>}
              </tr>
            </thead>
            <tbody>
              {slices
                .filter((slice) => slice.tag === tag)
                .map((slice) => (
                  <tr>
                    <td>{slice.value}</td>
                    <td class="n">{slice.images}</td>
                    <td class="n">{iou(slice.miou)}</td>
                    <td class="n">{iou(slice.benchmarkMiou)}</td>
                    <td class="n">
                      <Difference of={slice.benchmarkMiou === null ? null : slice.miou - slice.benchmarkMiou} />
                      {slice.bounds === null ? null : (
                        <div class="bounds">
                          {signed(slice.bounds.lower)} … {signed(slice.bounds.upper)}
                        </div>
                      )}
                    </td>
                    {hasLast && (
                      <td class="n">
                        <Difference of={slice.change} />
                      </td>
                    )}
                  </tr>
                ))}
            </tbody>
          </table>
        ))}
      </div>
    </>
  );
}

function calibrationText({ error, excess }: Calibration): string {
  const much = `${(100 * Math.abs(excess)).toFixed(1)} points ${excess > 0 ? 'surer' : 'less sure'} than right`;
  const way = Math.abs(excess) < LITTLE ? 'as sure as right on the whole' : much;
  return `Calibration error ${iou(error)} over the pixels predicted as a part: the network is ${way}.`;
}
