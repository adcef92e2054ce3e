import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { problemsOf, problemText } from '../../domain/base/failures/problems.js';
import { boardReviewerSchema } from '../../domain/board/batch.js';
import { SETTING_OF_FIELD, startLoopRequestSchema } from '../../domain/loop/startRequest.js';
import { stepSchema } from '../../domain/steps.js';
import { approve } from '../../steering/approve.js';
import { replay, type SteeredLoop, steer, stopLoop } from '../../steering/deeds.js';
import { startLoop } from '../../steering/loopClient.js';

/** What a person may ask of a loop, by the last part of a form's address. */
export const DEEDS = ['start', 'pause', 'resume', 'stop', 'retry', 'replay', 'adopt', 'approve'] as const;
export const deedSchema = z.enum(DEEDS);
export type Deed = z.infer<typeof deedSchema>;

/** The fields of a form; a field that nobody filled in is not there. */
export type Form = Readonly<Record<string, string>>;

const NUMBERS: ReadonlySet<string> = new Set([
  'iterations',
  ...Object.keys(SETTING_OF_FIELD).filter((field) => field !== 'preset'),
]);
const number = z
  .string()
  .regex(/^\d{1,6}$/, 'give a number such as 3')
  .transform(Number);
const nowSchema = z.object({ now: z.literal('yes').optional() });
const replaySchema = z.object({ iteration: number, from: stepSchema });
const approvalSchema = z.object({ iteration: number, by: boardReviewerSchema });

/** What was done, and what is not as one would expect. */
export interface Done {
  /** Names the sentence of `DONE`. */
  done: keyof typeof DONE;
  remark: string | null;
}

/** What a page says after a request, without names: the page itself shows what came of it. */
export const DONE = {
  started: 'The loop was started.',
  resumed: 'The loop goes on after a failure or a wait.',
  queued: 'The loop already runs; the request waits behind what it does.',
  joined: 'The loop already runs; the request joins the one that waits.',
  pause: 'The loop holds when the current step ends.',
  'pause-now': 'The current step saves its work; then the loop holds.',
  resume: 'The loop goes on.',
  stop: 'The loop ends after its iteration.',
  'stop-now': 'The running iteration is cancelled and the loop ends; finished work is kept.',
  retry: 'The loop goes on where it failed.',
  replay: 'The iteration is done again.',
  adopt: 'The next iterations train with the proposed settings.',
  approve: 'The model is in production.',
} as const;
export const doneSchema = z.enum(Object.keys(DONE) as [keyof typeof DONE]);

/**
 * Ask a loop for what a form says, as the command of the same name does.
 *
 * @throws PartloopError for a form that does not fit, and whatever the loop refuses with
 */
export async function doDeed(where: SteeredLoop, deed: Deed, form: Form): Promise<Done> {
  const asDone = (done: Done['done'], remark: string | null = null): Done => ({ done, remark });
  switch (deed) {
    case 'start':
      return startFrom(where.client, { ...form, loop: where.loop });
    case 'pause': {
      const now = fits(nowSchema, form).now !== undefined;
      await steer(where, { name: 'pause', args: [{ now }] });
      return asDone(now ? 'pause-now' : 'pause');
    }
    case 'resume':
      await steer(where, { name: 'resume', args: [] });
      return asDone('resume');
    case 'stop': {
      const now = fits(nowSchema, form).now !== undefined;
      await stopLoop(where, now);
      return asDone(now ? 'stop-now' : 'stop');
    }
    case 'retry':
      await steer(where, { name: 'retryIteration', args: [{}] });
      return asDone('retry');
    case 'replay':
      await replay(where, fits(replaySchema, form));
      return asDone('replay');
    case 'adopt':
      await steer(where, { name: 'adoptProposal', args: [] });
      return asDone('adopt');
    case 'approve': {
      const { untold } = await approve(where.client, where.store, where.loop, fits(approvalSchema, form));
      return asDone('approve', untold === null ? null : `The alias in MLflow is not moved: ${untold}`);
    }
  }
}

/**
 * Start or join a loop.
 *
 * @throws PartloopError `input-invalid` naming the field
 */
export async function startFrom(client: Client, form: Form): Promise<Done> {
  const fields = Object.entries(form).map(([name, text]) => [name, NUMBERS.has(name) ? numberOf(text) : text]);
  const { outcome } = await startLoop(client, fits(startLoopRequestSchema, Object.fromEntries(fields)));
  return { done: outcome, remark: null };
}

/** A text that is no number stays what it is, so that the refusal shows it. */
const numberOf = (text: string): number | string => (Number.isFinite(Number(text)) ? Number(text) : text);

function fits<T extends z.ZodType>(schema: T, form: object): z.output<T> {
  const parsed = schema.safeParse(form);
  if (parsed.success) return parsed.data;
  const [problem] = problemsOf(schema, form);
  throw new PartloopError('input-invalid', problem === undefined ? 'the form is not valid' : problemText(problem), {
    hint: 'Correct it and send the form again.',
  });
}
