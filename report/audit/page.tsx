import { Tile, whole } from '../parts/format.js';
import { Pictures } from '../parts/pictures.js';
import { STYLE } from '../style.js';
import type { AuditReport } from './data.js';

/** The report of an audit as a self-contained HTML document: no script, no external asset. */
export function renderAudit(data: AuditReport): string {
  return `<!doctype html>\n${<Page data={data} />}`;
}

function Page({ data }: { data: AuditReport }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>{`Labels of ${data.file} · partloop`}</title>
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <main>
          <header>
            <h1>
              <bdi>Labels of {data.file}</bdi>
            </h1>
            <p>
              Scan {data.scan} · {data.madeAt}
            </p>
          </header>
          <Sentences of={data.warnings} title="Warnings" tone="warn" />
          <Summary data={data} />
          <Suspects data={data} />
          <Kinds data={data} />
          <Classes data={data} />
          <Sentences of={data.method} title="How it was made" tone="" />
          <section>
            <h2>Go on</h2>
            <pre>{data.commands.join('\n')}</pre>
          </section>
        </main>
      </body>
    </html>
  );
}

function Sentences({ of, title, tone }: { of: string[]; title: string; tone: 'warn' | '' }) {
  if (of.length === 0) return null;
  return (
    <section class={tone === '' ? '' : `verdict ${tone}`}>
      <h2>{title}</h2>
      <ul>
        {of.map((sentence) => (
          <li>{sentence}</li>
        ))}
      </ul>
    </section>
  );
}

function Summary({ data }: { data: AuditReport }) {
  return (
    <section>
      <h2>Wrong labels</h2>
      {data.share.map((sentence) => (
        <p>{sentence}</p>
      ))}
      <div class="tiles">
        <Tile value={whole(data.images)} label="images in the file" />
        <Tile value={whole(data.judged)} label="labels judged" />
        <Tile value={whole(data.withFindings)} label="labels with findings" />
        <Tile value={whole(data.refused)} label="images refused" />
      </div>
    </section>
  );
}

function Suspects({ data }: { data: AuditReport }) {
  return (
    <section>
      <h2>The most suspect labels</h2>
      {data.suspects.length === 0 ? (
        <p>No label is suspect.</p>
      ) : (
        <>
          <p class="legend">
            <i style="background:#ffffff;border:1px solid var(--line)" />
            outline of the given label
            <i style="background:#ff3d7f" />
            proposed correction, or the suspect region
          </p>
          <Pictures pictures={data.suspects} meter="probability that the label is wrong" />
        </>
      )}
    </section>
  );
}

function Kinds({ data }: { data: AuditReport }) {
  if (data.kinds.length === 0) return null;
  return (
    <section>
      <h2>Findings</h2>
      <table>
        <thead>
          <tr>
            <th>Kind</th>
            <th class="n">Findings</th>
            <th class="n">Images</th>
          </tr>
        </thead>
        <tbody>
          {data.kinds.map(({ kind, findings, images }) => (
            <tr>
              <td>{kind.replaceAll('_', ' ')}</td>
              <td class="n">{findings}</td>
              <td class="n">{images}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Classes({ data }: { data: AuditReport }) {
  return (
    <section>
      <h2>Classes</h2>
      <table class="words">
        <thead>
          <tr>
            <th>Category</th>
            <th>Class</th>
            <th>In a mirrored picture</th>
          </tr>
        </thead>
        <tbody>
          {data.classes.map(({ category, name, mirror }) => (
            <tr>
              <td>
                <bdi>{category === '' ? '(empty)' : category}</bdi>
              </td>
              <td>{name}</td>
              <td>{mirror ?? 'the same'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
