import type { LoopStatus } from '../../domain/messages.js';
import { Badge, iou } from '../../report/parts/format.js';
import type { Form } from '../loops/deeds.js';
import type { Told } from '../loops/loopView.js';
import { documentOf, NoPools } from './layout.js';
import { Alert, Outcome } from './loopNow.js';
import { Button, StartForm } from './loopSteering.js';

export interface LoopsPage {
  pools: readonly string[];
  loops: readonly ListedLoop[];
  /** Why loops cannot be steered now. */
  unreachable: Told | null;
  notice?: string;
  refusal?: Told;
  typed?: Form;
}

/** A loop with its status, or with the reason why that is not known. */
export interface ListedLoop {
  loop: string;
  status: LoopStatus | Told;
}

const PATH = '/loops';

/** All loops with what they are at, and a form that starts another. */
export const loopsPage = ({ pools, loops, unreachable, notice, refusal, typed = {} }: LoopsPage): string =>
  documentOf({
    title: 'Loops',
    script: 'loop.js',
    body: (
      <body>
        <main class="page wide">
          <header class="top">
            <h1>Loops</h1>
            <p>
              <a href="/">All pools</a>
            </p>
          </header>
          <Outcome {...{ notice, refusal }} />
          <section id="loops" data-live class="scroll">
            {unreachable !== null && (
              <Alert message={`Loops cannot be steered from here: ${unreachable.message}.`} hint={unreachable.hint} />
            )}
            {loops.length === 0 ? <p>There is no loop yet.</p> : <Table loops={loops} steered={unreachable === null} />}
          </section>
          {unreachable === null && pools.length > 0 && (
            <section>
              <h2>Start a loop</h2>
              <StartForm action={PATH} typed={typed} label="Start">
                <label>
                  Pool
                  <select name="pool">
                    {pools.map((pool) => (
                      <option selected={pool === typed.pool}>{pool}</option>
                    ))}
                  </select>
                </label>
                <label title="The pool's name if it is empty">
                  Name of the loop
                  <input name="loop" value={typed.loop ?? ''} maxlength={63} pattern="[a-z0-9][a-z0-9\-]*" />
                </label>
              </StartForm>
              <p class="note">A loop without a name takes that of its pool. One that runs already is joined.</p>
            </section>
          )}
          {pools.length === 0 && <NoPools />}
        </main>
      </body>
    ),
  });

function Table({ loops, steered }: { loops: readonly ListedLoop[]; steered: boolean }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Loop</th>
          <th scope="col">Phase</th>
          <th scope="col" class="n">
            Iteration
          </th>
          <th scope="col" class="n">
            To go
          </th>
          <th scope="col" class="n">
            mIoU
          </th>
          <th scope="col">Gate</th>
          <th scope="col">
            <span class="hidden">Steer</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {loops.map(({ loop, status }) => (
          <tr>
            <td>
              <a href={`${PATH}/${loop}`}>{loop}</a>
            </td>
            {'phase' in status ? (
              <Cells loop={loop} status={status} steered={steered} />
            ) : (
              <td colspan={6}>{status.message}</td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cells({ loop, status, steered }: { loop: string; status: LoopStatus; steered: boolean }) {
  const { phase, iteration, remaining, rows, error } = status;
  const last = rows.findLast(({ miou }) => miou !== null);
  const held = phase === 'paused' || phase === 'pausing';
  const ends = phase === 'stopping' || phase === 'stopped';
  return (
    <>
      <td>{steered ? phase : 'not known'}</td>
      <td class="n">{iteration ?? rows.at(-1)?.iteration ?? '–'}</td>
      <td class="n">{steered ? remaining : '–'}</td>
      <td class="n">{iou(last?.miou ?? null)}</td>
      <td>
        <Badge of={last?.gate ?? null} />
      </td>
      <td>
        {steered && (
          <div class="buttons">
            {!held && !ends && <Button loop={loop} deed="pause" label="Pause" next={PATH} />}
            {held && <Button loop={loop} deed="resume" label="Resume" next={PATH} />}
            {error !== null && <Button loop={loop} deed="retry" label="Retry" next={PATH} />}
            {!ends && <Button loop={loop} deed="stop" label="Stop" next={PATH} />}
          </div>
        )}
      </td>
    </>
  );
}
