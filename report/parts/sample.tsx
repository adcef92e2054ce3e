import { counted } from '../../domain/base/counted.js';
import type { ReportData } from '../data.js';
import { tagChart } from './charts.js';
import { Chart, percent, whole } from './format.js';
import { Pictures } from './pictures.js';
import { TrainingByTag } from './training.js';

/** The picks, beside a random pick of the same size. */
export function Sample({ data }: { data: ReportData }) {
  const { comparison, interior, reasons, picks } = data.sample;
  const { size, wrongShare, clusters } = comparison;
  return (
    <section id="sample">
      <h2>Picked for training</h2>
      <p class="note">
        {whole(size.sample)} of {whole(size.chunk)} images, compared with a random pick of {whole(size.random)} from the
        same chunk.
        {interior === 0
          ? ''
          : ` Left out: ${counted(interior, 'image', 'images')} of a car interior, by prediction and label.`}
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th />
              <th class="n">Chunk</th>
              <th class="n">Random pick</th>
              <th class="n">Picked</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <td>Labels estimated to be wrong</td>
              <td class="n">{percent(wrongShare.chunk, 1)}</td>
              <td class="n">{percent(wrongShare.random, 1)}</td>
              <td class="n">{percent(wrongShare.sample, 1)}</td>
            </tr>
            <tr>
              <td>Groups of near duplicates</td>
              <td class="n">{whole(clusters.chunk)}</td>
              <td class="n">{whole(clusters.random)}</td>
              <td class="n">{whole(clusters.sample)}</td>
            </tr>
          </tbody>
        </table>
      </div>
      {comparison.tags.length > 0 && (
        <>
          <h3>By tag</h3>
          <p class="legend">
            <i style="background:var(--candidate)" />
            picked
            <i style="background:var(--benchmark);height:3px;vertical-align:3px" />
            random pick
            <i style="background:currentColor;border-radius:50%;width:6px;height:6px;vertical-align:2px" />
            chunk
          </p>
          <div class="charts">
            {comparison.tags.map((tag) => (
              <Chart svg={tagChart(tag, size)} />
            ))}
          </div>
        </>
      )}
      {comparison.focuses.length > 0 && (
        <>
          <h3>In focus</h3>
          <Counts of="Focus" rows={comparison.focuses} />
        </>
      )}
      <TrainingByTag training={data.training} />
      <div class="two">
        <div>
          <h3>By reason</h3>
          <table>
            <thead>
              <tr>
                <th>Reason</th>
                <th class="n">Images</th>
              </tr>
            </thead>
            <tbody>
              {reasons.slice(0, 15).map((reason) => (
                <tr>
                  <td>{reason.why}</td>
                  <td class="n">{reason.count}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <div>
          <h3>Rarest classes</h3>
          <Counts
            of="Class"
            rows={comparison.classes.toSorted((a, b) => a.chunk - b.chunk || (a.name < b.name ? -1 : 1)).slice(0, 15)}
          />
        </div>
      </div>
      {picks.length > 0 && (
        <>
          <h3>Picks with the greatest need</h3>
          <Pictures pictures={picks} meter={null} />
        </>
      )}
    </section>
  );
}

/** Images of a kind in the chunk, in a random pick and among the picks. */
function Counts({ of, rows }: { of: string; rows: ReportData['sample']['comparison']['classes'] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>{of}</th>
          <th class="n">Chunk</th>
          <th class="n">Random</th>
          <th class="n">Picked</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((entry) => (
          <tr>
            <td>{entry.name}</td>
            <td class="n">{entry.chunk}</td>
            <td class="n">{entry.random}</td>
            <td class="n">{entry.sample}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
