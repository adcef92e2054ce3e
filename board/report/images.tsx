import type { Estimate } from '../../domain/auditAnswers.js';
import { tagChart } from './charts.js';
import type { Picture, ReportData } from './data.js';
import { Badge, Chart, duration, percent, whole } from './format.js';

/** What algo1 found, and what became of it. */
export function Detection({ data }: { data: ReportData }) {
  const { detection } = data;
  const most = Math.max(1, ...detection.kinds.map((entry) => entry.findings));
  return (
    <section id="detection">
      <h2>Mislabelled images</h2>
      <p class="note">
        {whole(detection.scanned)} images scanned by {detection.model}; {whole(detection.flagged)} with findings,{' '}
        {whole(detection.quarantined)} set aside{' '}
        {detection.quarantineAt === null ? '' : `from ${percent(detection.quarantineAt)} probability on`},{' '}
        {whole(detection.unreadable)} unreadable, {whole(detection.missing)} missing from the store. Estimated share of
        wrong labels: {percent(detection.estimatedWrong, 1)}. Nothing is deleted.
      </p>
      {detection.kinds.length === 0 ? (
        <p>No finding.</p>
      ) : (
        <div class="two">
          <table>
            <thead>
              <tr>
                <th>Kind</th>
                <th class="n">Findings</th>
                <th class="n">Images</th>
                <th class="n">Set aside</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {detection.kinds.map((entry) => (
                <tr>
                  <td>{entry.kind.replaceAll('_', ' ')}</td>
                  <td class="n">{entry.findings}</td>
                  <td class="n">{entry.images}</td>
                  <td class="n">{entry.quarantined}</td>
                  <td>
                    <span class="bar" style={`width:${Math.round((90 * entry.findings) / most)}px`} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <table>
            <thead>
              <tr>
                <th>Part that should be there</th>
                <th class="n">Findings</th>
              </tr>
            </thead>
            <tbody>
              {detection.classes.slice(0, 12).map((entry) => (
                <tr>
                  <td>{entry.name}</td>
                  <td class="n">{entry.findings}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Suspicion detection={detection} />
      <Answers detection={detection} />
      {data.findings.length > 0 && (
        <>
          <h3>Most suspect labels</h3>
          <p class="legend">
            <i style="background:#ffffff;border:1px solid var(--line)" />
            outline of the given label
            <i style="background:#ff3d7f" />
            proposed correction, or the suspect region
          </p>
          <Pictures pictures={data.findings} meter="probability that the label is wrong" />
        </>
      )}
    </section>
  );
}

/** How often images are suspected by tag: what is hard for the model should not be suspected much more often. */
function Suspicion({ detection: { slices, scanned, flagged } }: Pick<ReportData, 'detection'>) {
  if (slices.length === 0) return null;
  return (
    <details>
      <summary>Suspected by tag ({percent(flagged / Math.max(1, scanned), 1)} of all images have findings)</summary>
      <table>
        <thead>
          <tr>
            <th>Tag</th>
            <th class="n">Images</th>
            <th class="n">Over the threshold</th>
            <th class="n">Share</th>
            <th class="n">Set aside</th>
          </tr>
        </thead>
        <tbody>
          {slices.map((slice) => (
            <tr>
              <td>
                {slice.tag} {slice.value}
              </td>
              <td class="n">{slice.images}</td>
              <td class="n">{slice.flagged}</td>
              <td class="n">{percent(slice.flagged / Math.max(1, slice.images), 1)}</td>
              <td class="n">{slice.quarantined}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

const interval = ({ value, low, high }: Estimate): string =>
  `${percent(value)} (95 % interval ${percent(low)} to ${percent(high)})`;

/** What the audit sample says of what scans overlook. */
function Recall({ detection: { recall } }: Pick<ReportData, 'detection'>) {
  if (recall === null) return null;
  const { answered, wrong, wrongShare, found, setAside } = recall;
  return (
    <p class="note">
      Of {whole(answered)} answered images that were drawn whatever their probability {whole(wrong)} were wrong;
      weighted by their chances, {interval(wrongShare)} of all labels are.
      {found === null ? null : ` Scans reported ${interval(found)} of the wrong ones.`}
      {setAside === null ? null : ` They set ${interval(setAside)} aside.`}
    </p>
  );
}

/** What reviewers said of findings so far, beside what scans had claimed. */
function Answers({ detection }: Pick<ReportData, 'detection'>) {
  const { answers, reliability, audit } = detection;
  return (
    <>
      <h3>Answers of reviewers</h3>
      <Recall detection={detection} />
      {answers.length === 0 ? (
        <p class="note">
          No finding was answered yet. {whole(audit)} images were drawn for review whatever their probability; `partloop
          scan export` puts them beside the suspect ones.
        </p>
      ) : (
        <div class="two">
          <table>
            <thead>
              <tr>
                <th>Kind</th>
                <th class="n">Answered</th>
                <th class="n">Label wrong</th>
                <th class="n">Precision</th>
                <th class="n">Unsure</th>
              </tr>
            </thead>
            <tbody>
              {answers.map((entry) => (
                <tr>
                  <td>{entry.kind.replaceAll('_', ' ')}</td>
                  <td class="n">{entry.answered}</td>
                  <td class="n">{entry.wrong}</td>
                  <td class="n">{percent(entry.precision)}</td>
                  <td class="n">{entry.unsure}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <table>
            <thead>
              <tr>
                <th>Probability from</th>
                <th class="n">Answered</th>
                <th class="n">Claimed</th>
                <th class="n">Found wrong</th>
              </tr>
            </thead>
            <tbody>
              {reliability.map((step) => (
                <tr>
                  <td>{percent(step.from)}</td>
                  <td class="n">{step.answered}</td>
                  <td class="n">{percent(step.claimed)}</td>
                  <td class="n">{percent(step.observed)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** What algo2 picked, beside a random pick of the same size. */
export function Sample({ data }: { data: ReportData }) {
  const { comparison, reasons, picks } = data.sample;
  const { size, wrongShare, clusters } = comparison;
  return (
    <section id="sample">
      <h2>Picked for training</h2>
      <p class="note">
        {whole(size.sample)} of {whole(size.chunk)} images, against a random pick of {whole(size.random)} from the same
        chunk.
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
          <table>
            <thead>
              <tr>
                <th>Class</th>
                <th class="n">Chunk</th>
                <th class="n">Random</th>
                <th class="n">Picked</th>
              </tr>
            </thead>
            <tbody>
              {comparison.classes
                .toSorted((a, b) => a.chunk - b.chunk || (a.name < b.name ? -1 : 1))
                .slice(0, 15)
                .map((entry) => (
                  <tr>
                    <td>{entry.name}</td>
                    <td class="n">{entry.chunk}</td>
                    <td class="n">{entry.random}</td>
                    <td class="n">{entry.sample}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </div>
      {picks.length > 0 && (
        <>
          <h3>Picked with the greatest need</h3>
          <Pictures pictures={picks} meter={null} />
        </>
      )}
    </section>
  );
}

/** How long each step took, and with which settings. */
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
        <details>
          <summary>Configuration</summary>
          <pre>{JSON.stringify(data.config, null, 2)}</pre>
        </details>
      </div>
    </section>
  );
}

function Pictures({ pictures, meter }: { pictures: Picture[]; meter: string | null }) {
  return (
    <div class="pictures">
      {pictures.map((picture) => (
        <figure>
          {picture.src === null ? (
            <div class="unread">cannot be read</div>
          ) : (
            <img
              src={picture.src}
              alt={`${picture.title}: ${picture.fileName}`}
              width={picture.width}
              height={picture.height}
            />
          )}
          <figcaption>
            <b>{picture.title}</b>
            {picture.detail}
            <br />
            <span>{picture.fileName}</span>
          </figcaption>
          {picture.score !== null && meter !== null && (
            <div class="meter" title={`${meter}: ${percent(picture.score)}`}>
              <i style={`width:${Math.round(100 * picture.score)}%`} />
            </div>
          )}
        </figure>
      ))}
    </div>
  );
}
