import type { Child } from 'hono/jsx';
import { SETTING_OF_FIELD, startLoopRequestSchema } from '../../domain/loop/startRequest.js';
import { MAX_REVIEWER } from '../../domain/review/reviewImport.js';
import { STEPS } from '../../domain/steps.js';
import type { Deed, Form } from '../loops/deeds.js';
import type { LoopView } from '../loops/loopView.js';

interface SteeringOf {
  view: LoopView;
  /** The name of the person at the screen, if they gave one. */
  reviewer: string | null;
  /** What was typed into a form that was refused. */
  typed: Form;
}

/** The requests without fields that make sense now. Its script renews this part. */
export function Buttons({ view: { loop, live, waiting }, reviewer, typed }: SteeringOf) {
  if (live === null) return <section id="steer" data-live hidden />;
  const { status, isOpen } = live;
  const { phase, iteration, error, proposal } = status;
  const held = phase === 'paused' || phase === 'pausing';
  const ends = phase === 'stopping' || phase === 'stopped';
  return (
    <section id="steer" data-live>
      <h2>Steer</h2>
      <div class="buttons">
        {isOpen && !held && !ends && <Button loop={loop} deed="pause" label="Pause before the next step" />}
        {isOpen && !ends && phase !== 'paused' && iteration !== null && (
          <Button loop={loop} deed="pause" now label="Save and pause now" />
        )}
        {held && <Button loop={loop} deed="resume" label="Resume" />}
        {error !== null && <Button loop={loop} deed="retry" label="Retry from where it failed" />}
        {proposal !== null && <Button loop={loop} deed="adopt" label="Adopt the proposed settings" />}
        {isOpen && phase !== 'stopping' && <Button loop={loop} deed="stop" label="Stop after this iteration" />}
        {iteration !== null && <Button loop={loop} deed="stop" now label="Stop now" />}
      </div>
      {iteration !== null && (
        <p class="note">
          <em>Stop now</em> cancels iteration {iteration}; finished work is kept.
        </p>
      )}
      {waiting !== null && (
        <form method="post" action={`/loops/${loop}/approve`} class="filter" id="approve">
          <input type="hidden" name="iteration" value={String(waiting)} />
          <label>
            The model of iteration {waiting} passed the gate and waits for approval. Who approves?
            <input name="by" required maxlength={MAX_REVIEWER} value={typed.by ?? reviewer ?? ''} autocomplete="name" />
          </label>
          <button type="submit">Put it into production</button>
        </form>
      )}
    </section>
  );
}

/** The requests with fields. */
export function Requests({ view: { loop, live, record }, typed }: SteeringOf) {
  if (live === null) return null;
  const numbers = record.iterations.map(({ iteration }) => iteration).toReversed();
  return (
    <section id="requests">
      <h2>Run iterations</h2>
      <StartForm action={`/loops/${loop}/start`} typed={typed} label="Run" />
      {numbers.length > 0 && (
        <details open={typed.from !== undefined}>
          <summary>Do an iteration again</summary>
          <form method="post" action={`/loops/${loop}/replay`} class="filter">
            <label>
              Iteration
              <select name="iteration">
                {numbers.map((number) => (
                  <option selected={String(number) === typed.iteration}>{number}</option>
                ))}
              </select>
            </label>
            <label>
              Beginning at
              <select name="from">
                {STEPS.map((step) => (
                  <option selected={step === typed.from}>{step}</option>
                ))}
              </select>
            </label>
            <button type="submit">Replay</button>
          </form>
          <p class="note">Earlier steps are kept.</p>
        </details>
      )}
    </section>
  );
}

const { shape } = startLoopRequestSchema;
type Field = keyof typeof SETTING_OF_FIELD;
const FIELDS = Object.keys(SETTING_OF_FIELD).filter((field): field is Field => Object.hasOwn(shape, field));
const LABELS: Readonly<Record<Field, string>> = {
  chunkSize: 'New images per iteration',
  sampleShare: 'Share that is picked',
  imageSize: 'Image size, pixels',
  trainIterations: 'Training iterations',
  batchSize: 'Batch size',
  preset: 'Backbone',
  seed: 'Seed',
};

interface Start {
  action: string;
  typed: Form;
  label: string;
  /** Fields before all others. */
  children?: Child;
}

/** A start: the number of iterations, and settings that stay as they are where nothing is given. */
export function StartForm({ action, typed, label, children }: Start) {
  const isTyped = FIELDS.some((field) => typed[field] !== undefined);
  return (
    <form method="post" action={action} class="column">
      <div class="filter">
        {children}
        <label title={shape.iterations.description}>
          Iterations
          <input type="number" name="iterations" min={1} value={typed.iterations ?? '1'} required />
        </label>
        <button type="submit">{label}</button>
      </div>
      <details open={isTyped}>
        <summary>Settings; empty ones stay as they are</summary>
        <div class="filter">
          {FIELDS.map((field) => (
            <label title={shape[field].description}>
              {LABELS[field]}
              <input
                {...(field === 'preset' ? { maxlength: 64 } : { type: 'number', step: 'any' })}
                name={field}
                value={typed[field] ?? ''}
              />
            </label>
          ))}
        </div>
      </details>
    </form>
  );
}

interface ButtonOf {
  loop: string;
  deed: Deed;
  /** Whether the running step is not waited for. */
  now?: boolean;
  label: string;
  /** The page to which it leads back; the loop's own if omitted. */
  next?: string;
}

/** One request without fields. */
export function Button({ loop, deed, now = false, label, next }: ButtonOf) {
  return (
    <form method="post" action={`/loops/${loop}/${deed}`}>
      {now && <input type="hidden" name="now" value="yes" />}
      {next !== undefined && <input type="hidden" name="next" value={next} />}
      <button type="submit">{label}</button>
    </form>
  );
}
