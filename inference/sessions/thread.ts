import { Worker } from 'node:worker_threads';
import { PartloopError } from '../../domain/base/errors.js';
import type { NetworkImage } from '../decode.js';
import { padImage } from '../letterbox.js';
import { isStalled, type Watchdog } from '../watchdog.js';
import type { LabelQuestion, ThreadAnswer, ThreadJob, ThreadSetup } from './scanMessages.js';

interface Waiting {
  resolve(answer: ThreadAnswer): void;
  reject(error: Error): void;
}

/** Threads of this process that load or run a network now. */
const atWork = new Set<Worker>();

/**
 * True while a thread is inside `run()` of ONNX Runtime. A process that exits then waits for the thread, for ever if it
 * hangs, or is aborted: nothing but SIGKILL ends it in order.
 */
export const isInsideNetwork = (): boolean => atWork.size > 0;

/** A thread with one session of a model. */
export interface Thread {
  size: number;
  labelSize: number;
  /** One picture at a time: the thread has one canvas. */
  run(picture: NetworkImage, question: LabelQuestion | null, name: string): Promise<ThreadAnswer>;
  close(): Promise<void>;
}

export async function openThread(setup: ThreadSetup, watchdog: Watchdog): Promise<Thread> {
  const worker = new Worker(new URL('./scanThread.js', import.meta.url), { workerData: setup });
  const waiting = new Map<number, Waiting>();
  let letGo = (): void => undefined;
  /** Resolves once the thread has exited, or hangs for ever. */
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
    worker.once('exit', () => resolve());
  });
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
    async run({ rgb, width, height }, question, name) {
      if (over !== undefined) throw over;
      padImage(rgb, width, height, thread.size, canvas);
      const id = nextId++;
      const answered = new Promise<ThreadAnswer>((resolve, reject) => waiting.set(id, { resolve, reject }));
      worker.postMessage({ id, width, height, question } satisfies ThreadJob);
      atWork.add(worker);
      const answer = await orHung(watchdog.guard(`${setup.name} gave no answer for ${name}`, answered));
      if (answer.type === 'unusable')
        throw new PartloopError('answer-invalid', `${setup.name} cannot judge ${name}: ${answer.message}`, {
          hint: 'Often numbers left the range of float16, or the input is scaled wrongly.',
        });
      return answer;
    },
    async close() {
      over ??= new PartloopError('internal', `the sessions of ${setup.name} have ended`);
      worker.postMessage('stop');
      await gone;
    },
  };
  const orHung = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      if (isStalled(error)) {
        worker.unref();
        letGo();
        failAll(error);
      }
      throw error;
    });
  const ready = new Promise<Thread>((resolve, reject) => {
    worker.once('error', (error) => {
      failAll(error);
      reject(error);
    });
    worker.once('exit', () => {
      atWork.delete(worker);
      const ended = new PartloopError('internal', `a scan thread of ${setup.name} has ended`);
      failAll(ended);
      reject(ended);
    });
    worker.on('message', (answer: ThreadAnswer) => {
      atWork.delete(worker);
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
  atWork.add(worker);
  return orHung(watchdog.guard(`${setup.name} was not loaded`, ready, { rare: true }));
}
