import { newImagesText, proposalText } from '../../domain/loop/details.js';
import { nextStep } from '../../domain/loop/status.js';
import type { LoopView, Told } from '../loops/loopView.js';
import { Steps } from './loopSteps.js';

/** What happened, and what to do, as a part of a page. */
export function Alert({ message, hint }: Told) {
  return (
    <div role="alert">
      <p>
        <strong>{message}</strong>
      </p>
      {hint !== '' && <p>{hint}</p>}
    </div>
  );
}

/** What a loop is at. Its script renews this part. */
export function Now({ view: { live, unreachable, damaged, links } }: { view: LoopView }) {
  return (
    <section id="now" data-live>
      <h2>Now</h2>
      {damaged !== null && <Alert {...damaged} />}
      {live === null ? <Unknown unreachable={unreachable} /> : <Known live={live} links={links} />}
    </section>
  );
}

function Unknown({ unreachable }: { unreachable: Told | null }) {
  return (
    <div role="alert">
      <p>
        <strong>
          What the loop does now is not known, and it cannot be steered from here: {unreachable?.message}.
        </strong>
      </p>
      {unreachable?.hint && <p>{unreachable.hint}</p>}
      <p>Below is what the store has: the iterations that ended.</p>
    </div>
  );
}

function Known({ live, links }: Pick<LoopView, 'links'> & { live: NonNullable<LoopView['live']> }) {
  const { status, progress, activity, troubles, isOpen } = live;
  const { phase, iteration, remaining, error } = status;
  const step = progress?.step ?? null;
  const advice = nextStep(status);
  return (
    <>
      <p>
        <strong>{phase}</strong>
        {iteration !== null && `, iteration ${iteration}`}
        {step !== null && ` (${step})`}, {remaining} to go
      </p>
      {!isOpen && iteration !== null && (
        <p>
          Iteration {iteration} runs without its loop. A start joins it as its first iteration; <em>Stop now</em> ends
          it.
        </p>
      )}
      {error !== null && <Alert message={`Last error: ${error}`} hint={advice ?? ''} />}
      {troubles.length > 0 && (
        <ul role="alert">
          {troubles.map((trouble) => (
            <li>{trouble}</li>
          ))}
        </ul>
      )}
      {status.newImages != null && <p>{newImagesText(status.newImages)}</p>}
      {status.proposal !== null && <p>{proposalText(status.loop, status.proposal)}</p>}
      {progress !== null && (
        <Steps
          id="now"
          results={progress.results}
          current={step === null ? null : { step, held: progress.held, activity }}
        />
      )}
      {links !== null && (
        <p class="note">
          In the Temporal UI: <a href={links.loop}>the loop</a>
          {links.iteration !== null && (
            <>
              {', '}
              <a href={links.iteration}>iteration {iteration}</a>
            </>
          )}
        </p>
      )}
    </>
  );
}

/** What became of a request: why it was refused, or that it was done. */
export function Outcome({ notice, refusal }: { notice: string | undefined; refusal: Told | undefined }) {
  return (
    <>
      {refusal !== undefined && (
        <section id="refusal">
          <Alert {...refusal} />
        </section>
      )}
      {notice !== undefined && (
        <section role="status">
          <p>{notice}</p>
        </section>
      )}
    </>
  );
}
