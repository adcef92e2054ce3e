import { PartloopError } from '../domain/base/errors.js';

/** A picture may take this many times as long as the slowest one so far. */
const TIMES_THE_SLOWEST = 20;
/** Limit for a picture of cancelled work, in milliseconds: less than a worker has for its end. */
const CANCELLED_MS = 30_000;
/** The longest possible wait of a timer, in milliseconds. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whether native code gave no answer in time: its thread hangs, and so does its process. */
export const isStalled = (error: unknown): error is PartloopError =>
  error instanceof PartloopError && error.code === 'inference-stalled';

/**
 * Bounds the wait for native code (ONNX Runtime, libvips), which no signal ends. A call without an answer within
 * `floorMs`, or within 20 times the slowest one so far, fails by name. Its thread keeps hanging, so `onStall` must
 * ensure that the process ends.
 */
export class Watchdog {
  #slowestMs = 0;

  constructor(
    private readonly floorMs: number,
    private readonly onStall: (error: PartloopError) => void = () => undefined,
    /** Aborts if nobody waits for the answer any longer: then it has less time. */
    private readonly signal: AbortSignal = new AbortController().signal,
  ) {}

  /**
   * `silence` names the silent part and its input, as the beginning of a sentence. A `rare` call, such as loading a
   * model, tells nothing about the time per picture.
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
