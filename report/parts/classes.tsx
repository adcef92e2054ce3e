import type { Calibration } from '../../domain/evaluate/calibration.js';
import type { ReportData } from '../data.js';
import { classChart } from './charts.js';
import { Chart, Difference, iou, percent, signed } from './format.js';

/** Less is not worth a word. */
const LITTLE = 0.005;

/** Every class, and every value of every tag. */
export function Classes({ data }: { data: ReportData }) {
  const tags = [...new Set(data.slices.map((slice) => slice.tag))];
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
      {tags.length === 0 ? (
        <p class="note">The test images have no tags, so there are no views to compare.</p>
      ) : (
        <>
          <h3>By tag</h3>
          <div class="two">
            {tags.map((tag) => (
              <table>
                <thead>
                  <tr>
                    <th>{tag}</th>
                    <th class="n">Images</th>
                    <th class="n">mIoU</th>
                    <th class="n">Benchmark</th>
                    <th class="n">Gain</th>
                  </tr>
                </thead>
                <tbody>
                  {data.slices
                    .filter((slice) => slice.tag === tag)
                    .map((slice) => (
                      <tr>
                        <td>{slice.value}</td>
                        <td class="n">{slice.images}</td>
                        <td class="n">{iou(slice.miou)}</td>
                        <td class="n">{iou(slice.benchmarkMiou)}</td>
                        <td class="n">
                          <Difference of={slice.benchmarkMiou === null ? null : slice.miou - slice.benchmarkMiou} />
                        </td>
                      </tr>
                    ))}
                </tbody>
              </table>
            ))}
          </div>
        </>
      )}
    </section>
  );
}

function calibrationText({ error, excess }: Calibration): string {
  const much = `${(100 * Math.abs(excess)).toFixed(1)} points ${excess > 0 ? 'surer' : 'less sure'} than right`;
  const way = Math.abs(excess) < LITTLE ? 'as sure as right on the whole' : much;
  return `Calibration error ${iou(error)} over the pixels predicted as a part: the network is ${way}.`;
}
