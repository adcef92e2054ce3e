import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { PartloopError } from '../domain/errors.js';
import type { ImageAnalysis } from '../domain/mislabel/index.js';
import { NO_TAGS } from '../domain/tags.js';
import type { NetworkImage } from './decode.js';
import { padImage } from './letterbox.js';
import type { LabelQuestion, ThreadAnswer, ThreadJob, ThreadSetup } from './scanMessages.js';
import { fastestCount } from './sessionCount.js';

interface Waiting {
  resolve(answer: ThreadAnswer): void;
  reject(error: Error): void;
}

/** Sessions of one model, each in a thread of its own. */
export interface SessionPool {
  readonly sessions: number;
  /** Side in pixels of the canvas that the model takes. */
  readonly size: number;
  /** Side in pixels of the grid [L, L] on which labels are compared with what the model sees. */
  readonly labelSize: number;
  /** Classes of the taxonomy; the label values are 0 to `classes`, and 255. */
  readonly classes: number;
  /** A label held against what the model sees in its picture. */
  analyse(picture: NetworkImage, question: LabelQuestion): Promise<ImageAnalysis>;
  /** Predicted label values [S, S], of which the top left is the picture. */
  predict(picture: NetworkImage): Promise<Uint8Array>;
  /** Lets every thread end its picture, release its session and exit. */
  close(): Promise<void>;
}

/**
 * Megabytes that the heap of a thread may fill before V8 looks for garbage in earnest. The masks of a picture are gone when
 * its analysis is; at V8's own few megabytes it marks the heap of every thread twice a second, which takes a twentieth of a
 * scan. Read when a thread is made.
 */
setFlagsFromString('--initial-old-space-size=128');

/** What was measured in this process: sessions by model, provider and threads. */
const measured = new Map<string, number>();

/**
 * `sessions` null takes as many as turn out the fastest in a trial of a few pictures, once a model and process.
 *
 * @throws PartloopError `model-invalid` naming the model where ONNX Runtime refuses it or its inputs are not ours, or where the
 * provider asked for is not there: another one never takes its place
 */
export async function openSessions(sessions: number | null, setup: ThreadSetup): Promise<SessionPool> {
  const threads = sessions === null ? await openFastest(setup) : await openThreads(sessions, setup);
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
  const run = async (picture: NetworkImage, question: LabelQuestion | null): Promise<ThreadAnswer> => {
    const thread = await take();
    try {
      return await thread.run(picture, question);
    } finally {
      giveBack(thread);
    }
  };
  return {
    sessions: threads.length,
    size: threads[0]?.size ?? 0,
    labelSize: threads[0]?.labelSize ?? 0,
    classes: setup.taxonomy.classes.length,
    async analyse(picture, question) {
      const answer = await run(picture, question);
      if (answer.type !== 'analysis') throw new PartloopError('internal', `a scan thread answered ${answer.type}`);
      return answer.analysis;
    },
    async predict(picture) {
      const answer = await run(picture, null);
      if (answer.type !== 'mask') throw new PartloopError('internal', `a scan thread answered ${answer.type}`);
      return answer.mask;
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

async function openFastest(setup: ThreadSetup): Promise<Thread[]> {
  const key = [setup.modelPath, setup.provider, setup.threads].join('\n');
  const known = measured.get(key);
  if (known !== undefined) return openThreads(known, setup);
  const threads = await openThreads(Math.max(1, Math.floor(availableParallelism() / setup.threads)), setup);
  try {
    const { size, labelSize } = threads[0] as Thread;
    const picture = { rgb: new Uint8Array(size * size * 3), width: size, height: size };
    const label = new Uint8Array(labelSize * labelSize);
    const question = { label, width: labelSize, height: labelSize, tags: NO_TAGS, injectSeed: null };
    const count = await fastestCount(threads.map((thread) => ({ run: () => thread.run(picture, question) })));
    measured.set(key, count);
    await Promise.all(threads.slice(count).map((thread) => thread.close()));
    return threads.slice(0, count);
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.close()));
    throw error;
  }
}

/** All threads or none: where one is refused, those that opened are closed, since a thread left open keeps the process alive. */
async function openThreads(sessions: number, setup: ThreadSetup): Promise<Thread[]> {
  const opened = await Promise.allSettled(Array.from({ length: sessions }, () => openThread(setup)));
  const threads = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const refused = opened.find((outcome) => outcome.status === 'rejected');
  if (refused === undefined) return threads;
  await Promise.all(threads.map((thread) => thread.close()));
  throw refused.reason;
}

interface Thread {
  size: number;
  labelSize: number;
  /** One picture at a time: the thread has one canvas. */
  run(picture: NetworkImage, question: LabelQuestion | null): Promise<ThreadAnswer>;
  close(): Promise<void>;
}

function openThread(setup: ThreadSetup): Promise<Thread> {
  const worker = new Worker(new URL('./scanThread.js', import.meta.url), { workerData: setup });
  const waiting = new Map<number, Waiting>();
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let nextId = 0;
  let canvas: Uint8Array = new Uint8Array();
  /** Set once the thread takes no more pictures: a message to it would wait for an answer for ever. */
  let over: Error | undefined;
  const failAll = (error: Error): void => {
    over ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const thread: Thread = {
    size: 0,
    labelSize: 0,
    run: ({ rgb, width, height }, question) =>
      new Promise((resolve, reject) => {
        if (over !== undefined) return reject(over);
        padImage(rgb, width, height, thread.size, canvas);
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, question } satisfies ThreadJob);
      }),
    async close() {
      over ??= new PartloopError('internal', `the sessions of ${setup.name} have ended`);
      worker.postMessage('stop');
      await exited;
    },
  };
  return new Promise((resolve, reject) => {
    worker.once('error', (error) => {
      failAll(error);
      reject(error);
    });
    worker.once('exit', () => {
      const ended = new PartloopError('internal', `a scan thread of ${setup.name} has ended`);
      failAll(ended);
      reject(ended);
    });
    worker.on('message', (answer: ThreadAnswer) => {
      if (answer.type === 'ready') {
        thread.size = answer.size;
        thread.labelSize = answer.labelSize;
        canvas = new Uint8Array(answer.canvas);
        return resolve(thread);
      }
      if (answer.type === 'refused') {
        reject(
          new PartloopError('model-invalid', `${setup.name} cannot judge: ${answer.message}`, {
            hint:
              setup.provider === 'cuda'
                ? 'It must be a scan.onnx as the trainer exports it, and ONNX Runtime must have its CUDA libraries (onnxruntime-node fetches them when its install script may run); `--set scan.provider=cpu` does without.'
                : 'It must be a scan.onnx as the trainer exports it.',
          }),
        );
        return;
      }
      const job = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.type === 'failed')
        job?.reject(new PartloopError('model-invalid', `${setup.name} failed: ${answer.message}`));
      else job?.resolve(answer);
    });
  });
}
