import type { PoolScans } from '../scans.js';
import { AuditLink } from './auditLink.js';
import { documentOf, NoPools } from './layout.js';

interface Home {
  pools: readonly PoolScans[];
  loops: readonly string[];
  reviewer: string | null;
}

/** The loops, and the pools with their scans. */
export const homePage = ({ pools, loops, reviewer }: Home): string =>
  documentOf({
    title: 'Pools and scans',
    script: null,
    body: (
      <body>
        <main class="page">
          <header class="top">
            <h1>Pools and scans</h1>
            <p class="note">
              {reviewer === null ? 'Nobody has given a name here.' : <bdi>{reviewer}</bdi>}{' '}
              <a href="/name?next=/">{reviewer === null ? 'Give yours' : 'Change'}</a>
            </p>
          </header>
          {pools.length === 0 && <NoPools />}
          {(loops.length > 0 || pools.length > 0) && (
            <section>
              <h2>
                <a href="/loops">Loops</a>
              </h2>
              <ul>
                {loops.map((loop) => (
                  <li>
                    <a href={`/loops/${loop}`}>{loop}</a>
                  </li>
                ))}
              </ul>
            </section>
          )}
          {pools.map(({ pool, scans, audits }) => (
            <section>
              <h2>{pool}</h2>
              {scans.length === 0 ? (
                <p class="note">
                  No finished scan. <code>npx partloop scan run --pool {pool}</code> scans it.
                </p>
              ) : (
                <table>
                  <thead>
                    <tr>
                      <th scope="col">Scan</th>
                      <th scope="col" class="n">
                        Images judged
                      </th>
                      <th scope="col">
                        <span class="hidden">Open</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {scans.map(({ id, counts }) => (
                      <tr>
                        <td>{id}</td>
                        <td class="n">{counts === null ? '–' : counts.scanned.toLocaleString('en')}</td>
                        <td>
                          <a href={`/review/${encodeURIComponent(id)}`}>Review its findings</a>{' '}
                          <AuditLink scan={id} count={audits.get(id)} />{' '}
                          <a href={`/reviewers/${encodeURIComponent(id)}`}>Reviewers</a>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </section>
          ))}
        </main>
      </body>
    ),
  });
