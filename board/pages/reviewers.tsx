import type { Accuracy } from '../../domain/board/planted.js';
import type { Disagreement, ReviewerFigures } from '../../domain/board/reviewers.js';
import { documentOf } from './layout.js';

const WORDS: Readonly<Record<string, string>> = {
  accept: 'proposal right',
  right: 'given label right',
  wrong: 'wrong',
  unsure: 'unsure',
};

const HEADS = [
  'Answers',
  ...Object.values(WORDS),
  'Whole labels',
  'Seconds each',
  'Time left',
  'Agree with others',
  'Known errors recognised',
];

interface Figures {
  reviewers: readonly ReviewerFigures[];
  disagreements: readonly Disagreement[];
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

function timeText(hours: number | null): string {
  if (hours === null) return '–';
  return hours < 1 ? `${Math.ceil(60 * hours)} min` : `${hours.toFixed(1)} h`;
}

function accuracyText(accuracy: Accuracy | null): string {
  if (accuracy === null) return '–';
  const { decided, recognised, share } = accuracy;
  return `${recognised} of ${decided}: ${percent(share.value)} (${percent(share.low)} to ${percent(share.high)})`;
}

/** Who answered how much, how fast, and how far they agree. */
export const reviewersPage = (scan: string, { reviewers, disagreements }: Figures): string =>
  documentOf({
    title: `Reviewers of ${scan}`,
    script: null,
    body: (
      <body>
        <main class="page wide">
          <header class="top">
            <h1>Reviewers of {scan}</h1>
            <p>
              <a href="/">All pools</a>
            </p>
          </header>
          <section class="scroll">
            {reviewers.length === 0 ? (
              <p>Nobody has answered on the board yet.</p>
            ) : (
              <table>
                <thead>
                  <tr>
                    <th scope="col">Reviewer</th>
                    {HEADS.map((name) => (
                      <th scope="col" class="n">
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {reviewers.map(({ reviewer, answers, verdicts, audits, accuracy, ...rest }) => (
                    <tr>
                      <td>
                        <bdi>{reviewer}</bdi>
                      </td>
                      <td class="n">{answers}</td>
                      <td class="n">{verdicts.accept}</td>
                      <td class="n">{verdicts.right}</td>
                      <td class="n">{verdicts.wrong}</td>
                      <td class="n">{verdicts.unsure}</td>
                      <td class="n">{audits}</td>
                      <td class="n">{rest.secondsPerAnswer?.toFixed(1) ?? '–'}</td>
                      <td class="n">{timeText(rest.hoursLeft)}</td>
                      <td class="n">{rest.shared === 0 ? '–' : `${rest.alike} of ${rest.shared}`}</td>
                      <td class="n">{accuracyText(accuracy)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            <p class="note">
              Known errors are findings that the board made itself, in labels without suspicion; the interval is one of
              95 %. Seconds are the median, without idle time.
            </p>
          </section>
          {disagreements.length > 0 && (
            <section>
              <h2>Answered differently</h2>
              <ul>
                {disagreements.map(({ findingId, first, second }) => (
                  <li>
                    <a href={`/review/${encodeURIComponent(scan)}?answers=all&first=${encodeURIComponent(findingId)}`}>
                      {findingId}
                    </a>
                    : <bdi>{first.reviewer}</bdi> says {WORDS[first.verdict]}, <bdi>{second.reviewer}</bdi>{' '}
                    {WORDS[second.verdict]}
                  </li>
                ))}
              </ul>
            </section>
          )}
        </main>
      </body>
    ),
  });
