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

/** Number of threads of this process that load or run a network now. */
const atWork = new Set<Worker>();

/**
 * True while a thread is inside `run()` of ONNX Runtime. A process that exits then waits for the thread, forever if it
 * hangs, or is aborted: only SIGKILL ends it reliably.
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

/**
 * Start a thread and load a model in it.
 *
 * @throws PartloopError `model-invalid` for a model that cannot judge; a stall of the watchdog if it loads forever
 */
export async function openThread(setup: ThreadSetup, watchdog: Watchdog): Promise<Thread> {
  const thread = new ScanThread(setup, watchdog);
  await thread.load();
  return thread;
}

/** The canvas from which the thread reads pictures, and its sides; known when the model is loaded. */
type Loaded = Pick<Extract<ThreadAnswer, { type: 'ready' }>, 'size' | 'labelSize'> & { canvas: Uint8Array };

class ScanThread implements Thread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;
  private loaded: Loaded = { size: 0, labelSize: 0, canvas: new Uint8Array() };
  /** Set when the thread takes no more pictures: a message to it would wait forever for an answer. */
  private over: Error | undefined;
  /** Resolves when the thread has exited or hangs forever. */
  private readonly gone: Promise<void>;
  private letGo = (): void => undefined;
  private readonly ready: Promise<void>;

  constructor(
    private readonly setup: ThreadSetup,
    private readonly watchdog: Watchdog,
  ) {
    this.worker = new Worker(new URL('./scanThread.js', import.meta.url), { workerData: setup });
    this.gone = new Promise<void>((resolve) => {
      this.letGo = resolve;
      this.worker.once('exit', () => resolve());
    });
    this.ready = new Promise<void>((resolve, reject) => this.listen(resolve, reject));
  }

  get size(): number {
    return this.loaded.size;
  }

  get labelSize(): number {
    return this.loaded.labelSize;
  }

  async load(): Promise<void> {
    atWork.add(this.worker);
    await this.orHung(this.watchdog.guard(`${this.setup.name} was not loaded`, this.ready, { rare: true }));
  }

  async run({ rgb, width, height }: NetworkImage, question: LabelQuestion | null, name: string): Promise<ThreadAnswer> {
    if (this.over !== undefined) throw this.over;
    padImage(rgb, width, height, this.loaded.size, this.loaded.canvas);
    const id = this.nextId++;
    const answered = new Promise<ThreadAnswer>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.worker.postMessage({ id, width, height, question } satisfies ThreadJob);
    atWork.add(this.worker);
    const answer = await this.orHung(this.watchdog.guard(`${this.setup.name} gave no answer for ${name}`, answered));
    if (answer.type === 'unusable')
      throw new PartloopError('answer-invalid', `${this.setup.name} cannot judge ${name}: ${answer.message}`, {
        hint: 'Often numbers left the range of float16, or the input is scaled wrongly.',
      });
    return answer;
  }

  async close(): Promise<void> {
    this.over ??= new PartloopError('internal', `the sessions of ${this.setup.name} have ended`);
    this.worker.postMessage('stop');
    await this.gone;
  }

  /** Report whether the model was loaded, and then pass on answers. */
  private listen(ready: () => void, refuse: (error: Error) => void): void {
    const fail = (error: Error): void => {
      this.failAll(error);
      refuse(error);
    };
    this.worker.once('error', fail);
    this.worker.once('exit', () => {
      atWork.delete(this.worker);
      fail(new PartloopError('internal', `a scan thread of ${this.setup.name} has ended`));
    });
    this.worker.on('message', (answer: ThreadAnswer) => {
      atWork.delete(this.worker);
      if (answer.type === 'ready') {
        const { size, labelSize, canvas } = answer;
        this.loaded = { size, labelSize, canvas: new Uint8Array(canvas) };
        ready();
      } else if (answer.type === 'refused') refuse(cannotJudge(this.setup, answer.message));
      else this.handOver(answer);
    });
  }

  private handOver(answer: Exclude<ThreadAnswer, { type: 'ready' | 'refused' }>): void {
    const job = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (answer.type === 'failed')
      job?.reject(new PartloopError('model-invalid', `${this.setup.name} failed: ${answer.message}`));
    else job?.resolve(answer);
  }

  /** A hanging thread is left alone: it gets no more work, and nobody waits for it. */
  private async orHung<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (isStalled(error)) {
        this.worker.unref();
        this.letGo();
        this.failAll(error);
      }
      throw error;
    }
  }

  private failAll(error: Error): void {
    this.over ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

const cannotJudge = ({ name, provider }: ThreadSetup, message: string): PartloopError =>
  new PartloopError('model-invalid', `${name} cannot judge: ${message}`, {
    hint:
      provider === 'cuda'
        ? 'It must be a scan.onnx as the trainer exports it, and ONNX Runtime must have its CUDA libraries (the install script of onnxruntime-node fetches them); `--set scan.provider=cpu` needs none.'
        : 'It must be a scan.onnx as the trainer exports it.',
  });
