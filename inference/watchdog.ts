import { PartloopError } from '../domain/base/errors.js';

/** A picture may take so many times as long as the slowest one so far. */
const TIMES_THE_SLOWEST = 20;
/** A picture of work that was cancelled has so long at most, in milliseconds: less than a worker has for its end. */
const CANCELLED_MS = 30_000;
/** The longest that a timer can wait, in milliseconds. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whether native code gave no answer in time: its thread hangs, and so does the process that it is in. */
export const isStalled = (error: unknown): error is PartloopError =>
  error instanceof PartloopError && error.code === 'inference-stalled';

/**
 * Bounds the wait for native code (ONNX Runtime, libvips), which no signal ends: a call that answers nothing within
 * `floorMs`, or within 20 times the slowest one so far, fails by name. Its thread hangs on, so that `onStall` must see
 * to it that the process ends.
 */
export class Watchdog {
  #slowestMs = 0;

  constructor(
    private readonly floorMs: number,
    private readonly onStall: (error: PartloopError) => void = () => undefined,
    /** Aborts where nobody waits for the answer any more: then it has less time. */
    private readonly signal: AbortSignal = new AbortController().signal,
  ) {}

  /**
   * `silence` says who gave no answer to what, as the beginning of a sentence. What is `rare`, as loading a model, says
   * nothing of how long a picture may take.
   */
  async guard<T>(silence: string, work: Promise<T>, { rare = false }: { rare?: boolean } = {}): Promise<T> {
    const startedAt = performance.now();
    const boundMs = Math.min(LONGEST_TIMER_MS, Math.max(this.floorMs, TIMES_THE_SLOWEST * this.#slowestMs));
    let fail = (_: PartloopError): void => undefined;
    const late = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const giveUp = (): void => {
      const seconds = Math.round((performance.now() - startedAt) / 1_000);
      const error = new PartloopError('inference-stalled', `${silence} within ${seconds} s`, {
        hint: 'The worker starts again and tries it alone. `durability.inferenceStallSeconds` sets the time limit.',
      });
      this.onStall(error);
      fail(error);
    };
    let timer = setTimeout(giveUp, boundMs);
    const hurry = (): void => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, Math.min(boundMs, CANCELLED_MS));
    };
    if (this.signal.aborted) hurry();
    else this.signal.addEventListener('abort', hurry, { once: true });
    try {
      const value = await Promise.race([work, late]);
      if (!rare) this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAt);
      return value;
    } finally {
      clearTimeout(timer);
      this.signal.removeEventListener('abort', hurry);
    }
  }
}
