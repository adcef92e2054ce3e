import type { Estimate } from '../../domain/review/auditAnswers.js';
import { certificateTexts } from '../../domain/review/certificate/text.js';
import type { ReportData } from '../data.js';
import { percent, whole } from './format.js';
import { SuspectPictures } from './suspects.js';

/** The scan's findings and their outcome. */
export function Detection({ data }: { data: ReportData }) {
  const { detection } = data;
  const most = Math.max(1, ...detection.kinds.map((entry) => entry.findings));
  return (
    <section id="detection">
      <h2>Mislabelled images</h2>
      <p class="note">
        {whole(detection.scanned)} images scanned by {detection.model}; {whole(detection.withFindings)} with findings,{' '}
        {whole(detection.quarantined)} set aside{' '}
        {detection.quarantineAt === null ? '' : `(probability at least ${percent(detection.quarantineAt)})`},{' '}
        {whole(detection.unreadable)} unreadable, {whole(detection.missing)} missing from the store. Estimated share of
        wrong labels: {percent(detection.estimatedWrong, 1)}. Nothing is deleted.
        {detection.corrected === 0
          ? ''
          : ` Before the draw, answers to earlier scans corrected ${whole(detection.corrected)} labels.`}
        {detection.asked === 0
          ? ''
          : ` ${whole(detection.asked)} findings are drawn for reviewers; up to ${whole(detection.correctable)} other proposals may be corrected by their answers.`}
        {detection.counts === null ? '' : ` Of the whole pool: ${detection.counts}.`}
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
      {detection.kinds.length > 0 && <OnBoard data={data} />}
      <Suspicion detection={detection} />
      <Answers detection={detection} />
      {data.findings.length > 0 && (
        <>
          <h3>Most suspect labels</h3>
          <SuspectPictures pictures={data.findings} />
        </>
      )}
    </section>
  );
}

/** Where people answer the findings. */
function OnBoard({ data: { loop, iteration, board } }: { data: ReportData }) {
  const scan = `${loop}:${iteration}`;
  return (
    <p class="note">
      <code>partloop board {scan}</code> opens these findings, to be answered.
      {board !== null && (
        <>
          {' '}
          While a board runs at {board}, <a href={`${board}/review/${scan}`}>this link</a> does so too.
        </>
      )}
    </p>
  );
}

/** The share of suspected images by tag value: hard images should not be suspected much more often than others. */
function Suspicion({ detection: { slices, scanned, overThreshold } }: Pick<ReportData, 'detection'>) {
  if (slices.length === 0) return null;
  return (
    <details>
      <summary>
        Over the threshold by tag ({percent(overThreshold / Math.max(1, scanned), 1)} of all images are)
      </summary>
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
              <td class="n">{slice.overThreshold}</td>
              <td class="n">{percent(slice.overThreshold / Math.max(1, slice.images), 1)}</td>
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

/** The audit sample's estimate of the errors that scans overlook. */
function Recall({ detection: { recall } }: Pick<ReportData, 'detection'>) {
  if (recall === null) return null;
  const { answered, wrong, wrongShare, found, setAside } = recall;
  return (
    <p class="note">
      Of {whole(answered)} answered images that were drawn regardless of their probability {whole(wrong)} were wrong;
      weighted by their chances, {interval(wrongShare)} of all labels are.
      {found === null ? null : ` Scans reported ${interval(found)} of the wrong ones.`}
      {setAside === null ? null : ` They set ${interval(setAside)} aside.`}
    </p>
  );
}

/** What can be claimed of the labels. */
function Claim({ detection: { certificate } }: Pick<ReportData, 'detection'>) {
  return certificate === null ? null : <p>{certificateTexts(certificate).join(' ')}</p>;
}

/** Answers of reviewers to findings so far, beside the probabilities of the scans. */
function Answers({ detection }: Pick<ReportData, 'detection'>) {
  const { answers, reliability, audit } = detection;
  return (
    <>
      <h3>Answers of reviewers</h3>
      <Claim detection={detection} />
      <Recall detection={detection} />
      {answers.length === 0 ? (
        <p class="note">
          No finding was answered yet. {whole(audit)} images were drawn for review regardless of their probability;
          `partloop scan export` puts them beside the suspect ones.
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
