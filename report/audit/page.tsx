import { reportDocument } from '../parts/document.js';
import { Tile, whole } from '../parts/format.js';
import { SuspectPictures } from '../parts/suspects.js';

import type { AuditReport } from './data.js';

/** The report of an audit as a self-contained HTML document: no script, no external asset. */
export function renderAudit(data: AuditReport): string {
  return reportDocument(`Labels of ${data.file}`, <Page data={data} />);
}

function Page({ data }: { data: AuditReport }) {
  return (
    <>
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
    </>
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
      {data.suspects.length === 0 ? <p>No label is suspect.</p> : <SuspectPictures pictures={data.suspects} />}
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
