import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { PartloopError } from '../../domain/base/errors.js';
import type { ImageAnalysis } from '../../domain/scan/index.js';
import { NO_TAGS } from '../../domain/tags.js';
import { DEFAULT_STALL_MS } from '../../storage/pictures/helperProcess.js';
import { isFaultOfAnswer } from '../answer.js';
import type { NetworkImage } from '../decode.js';
import { Watchdog } from '../watchdog.js';
import type { LabelQuestion, ThreadAnswer, ThreadSetup } from './scanMessages.js';
import { fastestCount } from './sessionCount.js';
import { openThread, type Thread } from './thread.js';

/** What a model sees in a picture, without a label beside it. */
export interface Look {
  /** Predicted label values [S, S]; the top left is the picture. */
  mask: Uint8Array;
  /** 255 × the probability of each [S, S], and the largest of them. */
  pMask: Uint8Array;
  surest: number;
}

/** Sessions of one model, each in its own thread. */
export interface SessionPool {
  readonly sessions: number;
  /** Side in pixels of the canvas that the model takes. */
  readonly size: number;
  /** Side in pixels of the grid [L, L] on which labels are compared with the prediction. */
  readonly labelSize: number;
  /** Classes of the taxonomy; the label values are 0 to `classes`, and 255. */
  readonly classes: number;
  /** Bounds every wait for native code, including decoding for these sessions. */
  readonly watchdog: Watchdog;
  /**
   * Compares a label with the prediction for its picture, called `name`.
   *
   * @throws PartloopError `answer-invalid` if the model gives no number or a class that the taxonomy does not have,
   * `inference-stalled` if it does not end
   */
  analyse(picture: NetworkImage, question: LabelQuestion, name: string): Promise<ImageAnalysis>;
  /** Predicted label values [S, S] with their probabilities; the top left is the picture; throws likewise. */
  look(picture: NetworkImage, name: string): Promise<Look>;
  /** Lets every thread end its picture, release its session and exit; a hanging thread is left alone. */
  close(): Promise<void>;
}

/**
 * Megabytes that the heap of a thread may fill before V8 collects garbage thoroughly. The masks of a picture are
 * garbage after its analysis. With V8's default of a few megabytes it marks the heap of every thread twice a second,
 * which takes a twentieth of a scan. Read when a thread is made.
 */
setFlagsFromString('--initial-old-space-size=128');

/** Measured numbers of sessions in this process, by model, provider and threads. */
const measured = new Map<string, number>();

/**
 * With `sessions` null, a trial of a few pictures finds the fastest number, once per model and process.
 *
 * @throws PartloopError `model-invalid` naming the model if ONNX Runtime refuses it or its inputs are not ours, or if
 * the requested provider is missing: no other one replaces it
 */
export async function openSessions(
  sessions: number | null,
  setup: ThreadSetup,
  watchdog: Watchdog = new Watchdog(DEFAULT_STALL_MS),
): Promise<SessionPool> {
  const threads = sessions === null ? await openFastest(setup, watchdog) : await openThreads(sessions, setup, watchdog);
  const idle = [...threads];
  const queue: ((thread: Thread) => void)[] = [];

  const take = (): Promise<Thread> => {
    const thread = idle.pop();
    return thread === undefined ? new Promise((resolve) => queue.push(resolve)) : Promise.resolve(thread);
  };
  const giveBack = (thread: Thread): void => {
    const next = queue.shift();
    if (next === undefined) idle.push(thread);
    else next(thread);
  };
  const run = async (picture: NetworkImage, question: LabelQuestion | null, name: string): Promise<ThreadAnswer> => {
    const thread = await take();
    try {
      return await thread.run(picture, question, name);
    } finally {
      giveBack(thread);
    }
  };
  const look = async (picture: NetworkImage, name: string): Promise<Look> => {
    const answer = await run(picture, null, name);
    if (answer.type !== 'mask') throw new PartloopError('internal', `a scan thread answered ${answer.type}`);
    return answer;
  };
  return {
    sessions: threads.length,
    size: threads[0]?.size ?? 0,
    labelSize: threads[0]?.labelSize ?? 0,
    classes: setup.taxonomy.classes.length,
    watchdog,
    async analyse(picture, question, name) {
      const answer = await run(picture, question, name);
      if (answer.type !== 'analysis') throw new PartloopError('internal', `a scan thread answered ${answer.type}`);
      return answer.analysis;
    },
    look,
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

async function openFastest(setup: ThreadSetup, watchdog: Watchdog): Promise<Thread[]> {
  const key = [setup.modelPath, setup.provider, setup.threads].join('\n');
  const known = measured.get(key);
  if (known !== undefined) return openThreads(known, setup, watchdog);
  const most = Math.max(1, Math.floor(availableParallelism() / setup.threads));
  const threads = await openThreads(most, setup, watchdog);
  try {
    const { size, labelSize } = threads[0] as Thread;
    const picture = { rgb: new Uint8Array(size * size * 3), width: size, height: size };
    const label = new Uint8Array(labelSize * labelSize);
    const question = { label, width: labelSize, height: labelSize, tags: NO_TAGS, injectSeed: null };
    const judge = (thread: Thread) => thread.run(picture, question, 'a black picture').catch(passUnusable);
    const count = await fastestCount(threads.map((thread) => ({ run: () => judge(thread) })));
    measured.set(key, count);
    await Promise.all(threads.slice(count).map((thread) => thread.close()));
    return threads.slice(0, count);
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.close()));
    throw error;
  }
}

/** The time per picture does not depend on the answer; the answer for a black picture is not judged here. */
function passUnusable(error: unknown): void {
  if (!isFaultOfAnswer(error)) throw error;
}

/** All threads or none: if one is refused, the others are closed, since an open thread keeps the process alive. */
async function openThreads(sessions: number, setup: ThreadSetup, watchdog: Watchdog): Promise<Thread[]> {
  const opened = await Promise.allSettled(Array.from({ length: sessions }, () => openThread(setup, watchdog)));
  const threads = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const refused = opened.find((outcome) => outcome.status === 'rejected');
  if (refused === undefined) return threads;
  await Promise.all(threads.map((thread) => thread.close()));
  throw refused.reason;
}
