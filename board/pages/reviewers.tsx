import type { Disagreement, ReviewerFigures } from '../../domain/board/reviewers.js';
import { documentOf } from './layout.js';

const WORDS: Readonly<Record<string, string>> = {
  accept: 'proposal right',
  right: 'given label right',
  wrong: 'wrong',
  unsure: 'unsure',
};

interface Figures {
  reviewers: readonly ReviewerFigures[];
  disagreements: readonly Disagreement[];
}

/** Who answered how much, how fast, and how far they agree. */
export const reviewersPage = (scan: string, { reviewers, disagreements }: Figures): string =>
  documentOf({
    title: `Reviewers of ${scan}`,
    script: null,
    body: (
      <body>
        <main class="page">
          <header class="top">
            <h1>Reviewers of {scan}</h1>
            <p>
              <a href="/">All pools</a>
            </p>
          </header>
          <section>
            {reviewers.length === 0 ? (
              <p>Nobody has answered on the board yet.</p>
            ) : (
              <table>
                <thead>
                  <tr>
                    <th scope="col">Reviewer</th>
                    {['Answers', ...Object.values(WORDS), 'Seconds each', 'Agree with others'].map((name) => (
                      <th scope="col" class="n">
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {reviewers.map(({ reviewer, answers, verdicts, secondsPerAnswer, shared, alike }) => (
                    <tr>
                      <td>
                        <bdi>{reviewer}</bdi>
                      </td>
                      <td class="n">{answers}</td>
                      <td class="n">{verdicts.accept}</td>
                      <td class="n">{verdicts.right}</td>
                      <td class="n">{verdicts.wrong}</td>
                      <td class="n">{verdicts.unsure}</td>
                      <td class="n">{secondsPerAnswer === null ? '–' : secondsPerAnswer.toFixed(1)}</td>
                      <td class="n">{shared === 0 ? '–' : `${alike} of ${shared}`}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
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
