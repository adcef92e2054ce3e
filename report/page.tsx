import type { ReportData } from './data.js';
import { ChangesSince } from './parts/changes.js';
import { Classes } from './parts/classes.js';
import { Control } from './parts/control.js';
import { Detection } from './parts/detection.js';
import { reportDocument } from './parts/document.js';
import { LeftOut } from './parts/leftOut.js';
import { Curve, Gate, Verdict, Worst } from './parts/quality.js';
import { Run } from './parts/run.js';
import { Sample } from './parts/sample.js';
import { TuningTable } from './parts/tuning.js';

/** One iteration's report as a self-contained HTML document: no script, no external asset. */
export function renderReport(data: ReportData): string {
  return reportDocument(`${data.loop}, iteration ${data.iteration}`, <Page data={data} />);
}

function Page({ data }: { data: ReportData }) {
  const { decision } = data;
  return (
    <>
      <header>
        <h1>
          {data.loop}, iteration {data.iteration}
        </h1>
        <p>
          Pool {data.config.pool} · {data.config.train.preset} at {data.config.train.imageSize} px,{' '}
          {data.config.train.iterations.toLocaleString('en')} iterations · {data.madeAt}
        </p>
      </header>
      <nav>
        <a href="#verdict">Verdict</a>
        {data.changes !== null && <a href="#changes">Changes</a>}
        <a href="#curve">Quality by iteration</a>
        {decision.benchmark !== null && <a href="#gate">Gate</a>}
        {data.control !== null && <a href="#control">Compared with random</a>}
        <a href="#classes">Classes and views</a>
        <a href="#detection">Mislabelled images</a>
        <a href="#sample">Picked for training</a>
        <a href="#worst">Worst test images</a>
        {data.leftOut.length > 0 && <a href="#left-out">Left out</a>}
        {data.tuning !== null && <a href="#tuning">Settings tried</a>}
        <a href="#run">Run</a>
      </nav>
      {data.warnings.length > 0 && (
        <section class="verdict warn">
          <h2>Warnings</h2>
          <ul>
            {data.warnings.map((warning) => (
              <li>{warning}</li>
            ))}
          </ul>
        </section>
      )}
      <Verdict data={data} />
      <ChangesSince data={data} />
      <Curve data={data} />
      <Gate data={data} />
      <Control data={data} />
      <Classes data={data} />
      <Detection data={data} />
      <Sample data={data} />
      <Worst data={data} />
      <LeftOut data={data} />
      {data.tuning !== null && <TuningTable loop={data.loop} tuning={data.tuning} />}
      <Run data={data} />
    </>
  );
}
