import type { ReportData } from '../data.js';
import { miouCurve } from './charts.js';
import { Badge, Chart, Difference, duration, gateTone, iou, signed, Tile, whole } from './format.js';

/** The verdict, with its reasons. */
export function Verdict({ data }: { data: ReportData }) {
  const { decision, curve } = data;
  const now = curve.at(-1);
  return (
    <section id="verdict" class={`verdict ${gateTone(decision.gate)}`}>
      <h2>
        Iteration {data.iteration}: <Badge of={decision.gate} />
      </h2>
      <ul>
        {decision.reasons.map((reason) => (
          <li>{reason}</li>
        ))}
      </ul>
      <div class="tiles">
        <Tile value={iou(decision.candidateMiou)} label="mIoU of the candidate" />
        <Tile value={iou(decision.benchmarkMiou)} label="mIoU of the benchmark" />
        <Tile
          value={signed(decision.gain)}
          label={
            decision.lower === null ? 'gain' : `gain, bounds ${signed(decision.lower)} … ${signed(decision.upper)}`
          }
        />
        <Tile value={whole(now?.trainingSet ?? null)} label="images trained on" />
        <Tile value={whole(now?.quarantined ?? null)} label="images set aside in this scan" />
        <Tile value={duration(now?.seconds ?? 0)} label="for this iteration" />
      </div>
    </section>
  );
}

/** mIoU by iteration, as a curve and as figures. */
export function Curve({ data }: { data: ReportData }) {
  const hasControl = data.curve.some(({ controlMiou }) => controlMiou !== null);
  return (
    <section id="curve">
      <h2>Quality by iteration</h2>
      <p class="note">Whole-set mIoU on the frozen test set over the classes with ground truth; background left out.</p>
      <Chart svg={miouCurve(data.curve)} />
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Iteration</th>
              <th class="n">Drawn</th>
              <th class="n">Set aside</th>
              <th class="n">Picked</th>
              <th class="n">Trained on</th>
              <th class="n">mIoU</th>
              <th class="n">Major</th>
              <th class="n">Minor</th>
              <th class="n">Boundary</th>
              <th class="n">Val mIoU</th>
              <th class="n">Benchmark</th>
              {hasControl && <th class="n">Control</th>}
              {hasControl && <th class="n">Over random</th>}
              <th>Gate</th>
              <th class="n">Time</th>
            </tr>
          </thead>
          <tbody>
            {data.curve.map((point) => (
              <tr class={point.iteration === data.iteration ? 'now' : ''}>
                <td>{point.iteration}</td>
                <td class="n">{whole(point.drawn)}</td>
                <td class="n">{whole(point.quarantined)}</td>
                <td class="n">{whole(point.sampled)}</td>
                <td class="n">{whole(point.trainingSet)}</td>
                <td class="n">{iou(point.miou)}</td>
                <td class="n">{iou(point.majorMiou)}</td>
                <td class="n">{iou(point.minorMiou)}</td>
                <td class="n">{iou(point.boundaryIou)}</td>
                <td class="n">{iou(point.valMiou)}</td>
                <td class="n">{iou(point.benchmarkMiou)}</td>
                {hasControl && <td class="n">{iou(point.controlMiou)}</td>}
                {hasControl && <td class="n">{signed(point.overRandom)}</td>}
                <td>
                  <Badge of={point.gate} />
                </td>
                <td class="n">{duration(point.seconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The gate's figures: the overall comparison and every protected slice. */
export function Gate({ data }: { data: ReportData }) {
  const { decision, config } = data;
  if (decision.benchmark === null) return null;
  const { benchmark, previousCandidate: previous } = decision;
  return (
    <section id="gate">
      <h2>Gate</h2>
      <p class="note">
        Paired bootstrap over {decision.units} units ({config.gate.resamples.toLocaleString('en')} resamples), decision{' '}
        {decision.look} on this test version at error probability {decision.alpha?.toFixed(4)}. Benchmark:{' '}
        {benchmark.iteration === null
          ? 'baseline on random images'
          : `loop ${benchmark.loop}, iteration ${benchmark.iteration}`}
        .
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Compared on</th>
              <th class="n">Units</th>
              <th class="n">Candidate</th>
              <th class="n">Benchmark</th>
              <th class="n">Gain</th>
              <th class="n">Lower bound</th>
              <th class="n">Upper bound</th>
              <th class="n">Detectable drop</th>
              <th>Outcome</th>
            </tr>
          </thead>
          <tbody>
            <tr class="now">
              <td>all test images</td>
              <td class="n">{decision.units}</td>
              <td class="n">{iou(decision.candidateMiou)}</td>
              <td class="n">{iou(decision.benchmarkMiou)}</td>
              <td class="n">
                <Difference of={decision.gain} />
              </td>
              <td class="n">{signed(decision.lower)}</td>
              <td class="n">{signed(decision.upper)}</td>
              <td class="n">{iou(decision.detectable)}</td>
              <td>
                <Badge of={decision.gate} />
              </td>
            </tr>
            {previous !== null && (
              <tr>
                <td>all, against the last iteration</td>
                <td class="n">–</td>
                <td class="n">{iou(decision.candidateMiou)}</td>
                <td class="n">–</td>
                <td class="n">
                  <Difference of={previous.gain} />
                </td>
                <td class="n">{signed(previous.lower)}</td>
                <td class="n">{signed(previous.upper)}</td>
                <td class="n">–</td>
                <td class="note">decides nothing</td>
              </tr>
            )}
            {decision.slices.map((slice) =>
              slice.units === 0 ? (
                <tr>
                  <td>{slice.name}</td>
                  <td class="n">0</td>
                  <td colspan={6} class="note">
                    no such test image
                  </td>
                  <td>
                    <Badge of={slice.outcome} />
                  </td>
                </tr>
              ) : (
                <tr>
                  <td>{slice.name}</td>
                  <td class="n">{slice.units}</td>
                  <td class="n">{iou(slice.candidate)}</td>
                  <td class="n">{iou(slice.benchmark)}</td>
                  <td class="n">
                    <Difference of={slice.gain} />
                  </td>
                  <td class="n">{signed(slice.lower)}</td>
                  <td class="n">{signed(slice.upper)}</td>
                  <td class="n">{iou(slice.detectable)}</td>
                  <td>
                    <Badge of={slice.outcome} />
                  </td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
      <p class="note">
        A protected slice fails if its drop is significantly larger than {config.gate.sliceMargin}, passes if it is
        significantly smaller (Holm-corrected), and does not block if the data cannot tell.
      </p>
    </section>
  );
}

/** The test images on which the model is worst; by name only, since a report opens no test image. */
export function Worst({ data }: { data: ReportData }) {
  return (
    <section id="worst">
      <h2>Worst test images</h2>
      <p class="note">By per-image mIoU over the classes in ground truth or prediction.</p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Image</th>
              <th>Tags</th>
              <th class="n">mIoU</th>
              <th>Largest mistake</th>
            </tr>
          </thead>
          <tbody>
            {data.worst.map((image) => (
              <tr>
                <td>{image.fileName}</td>
                <td>{image.tags || '–'}</td>
                <td class="n">{iou(image.miou)}</td>
                <td>{image.mistake}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
