import { PartloopError } from '../../domain/base/errors.js';
import { ProcessEnded, TRIES } from '../../storage/pictures/helperProcess.js';

/** If a model ends its process for this many different pictures and judged none, the model is at fault, not they. */
const PICTURES_THAT_BLAME_THE_MODEL = 3;

export interface Trial<T> {
  /** Places of the pictures that were in hand when processes ended, with the number of such processes. */
  suspects: ReadonlyMap<number, number>;
  /** Other places: if the model judges these, it is not the cause. */
  controls: readonly number[];
  /** Names of the model and of a picture in messages. */
  model: string;
  nameOf(index: number): string;
  signal: AbortSignal;
  open(): Promise<{ judge(index: number): Promise<T>; close(): Promise<void> }>;
  /** Called once per picture: with its judgement, or with the reason for leaving it out. */
  onSettled(index: number, outcome: { judged: T } | { error: string }): Promise<void> | void;
}

/**
 * Judge suspects one by one in separate processes, to find out which of them ends its process. A picture that ended
 * `TRIES` processes is left out by name.
 *
 * @throws PartloopError `model-invalid` if the model ends its process for every picture
 */
export async function judgeSuspects<T>(trial: Trial<T>): Promise<void> {
  const tries = new Map(trial.suspects);
  const queue = [...trial.suspects.keys()];
  const controls = [...trial.controls];
  const enders = new Set<number>();
  let judged = 0;
  let failedLoads = 0;
  let judge: Awaited<ReturnType<Trial<T>['open']>> | null = null;
  try {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      trial.signal.throwIfAborted();
      try {
        judge ??= await trial.open();
      } catch (error) {
        if (!(error instanceof ProcessEnded)) throw error;
        if (++failedLoads >= TRIES) throw modelAtFault(trial.model, 'when it was loaded', error);
        queue.unshift(index);
        continue;
      }
      try {
        await trial.onSettled(index, { judged: await judge.judge(index) });
        judged++;
      } catch (error) {
        if (!(error instanceof ProcessEnded)) throw error;
        judge = null;
        enders.add(index);
        if (judged === 0 && enders.size >= PICTURES_THAT_BLAME_THE_MODEL)
          throw modelAtFault(trial.model, `for each of ${enders.size} pictures`, error);
        const count = (tries.get(index) ?? 0) + 1;
        tries.set(index, count);
        if (count < TRIES) queue.push(index);
        else {
          const reason = `${trial.nameOf(index)} ended the process that judged it ${count} times (${error.how})`;
          await trial.onSettled(index, { error: reason });
        }
        const control = judged === 0 ? controls.shift() : undefined;
        if (control !== undefined) queue.unshift(control);
      }
    }
  } finally {
    await judge?.close();
  }
}

/** The error for a model that ends every process that runs it. */
export function modelAtFault(model: string, when: string, { how }: ProcessEnded): PartloopError {
  return new PartloopError('model-invalid', `${model} ended the process that ran it ${when} (${how})`, {
    hint: 'SIGKILL mostly means too little memory. Otherwise run it with ONNX Runtime alone, and export it again.',
  });
}
