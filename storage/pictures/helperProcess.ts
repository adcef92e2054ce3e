import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PartloopError } from '../../domain/base/errors.js';
import type { FailureCode } from '../../domain/base/failures/failure.js';

/** Variables that a process that reads untrusted files does not need. */
const HELD_BACK = /^(AWS_|S3_|TEMPORAL_|PARTLOOP_)/;

/** Default silence after which native code counts as hung, in milliseconds. */
export const DEFAULT_STALL_MS = 300_000;
/** Number of processes that a picture may end before it is left out. */
export const TRIES = 3;

/** A helper process ended, or was ended because it gave no answer; `how` tells the manner, such as `SIGSEGV`. */
export class ProcessEnded extends Error {
  constructor(readonly how: string) {
    super(`the helper process ended: ${how}`);
    this.name = 'ProcessEnded';
  }
}

interface Asked<Request> {
  id: number;
  request: Request;
}

type Answered<Reply> = { id: number } & (
  | { reply: Reply }
  | { failed: { code: FailureCode; message: string; hint: string | null } }
);

interface Waiting<Reply> {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/**
 * A separate process for native code (libvips, ONNX Runtime): if that crashes or hangs, nothing else ends. It runs
 * `main`, a compiled module that calls `serveParent`, and has no credentials.
 */
export class HelperProcess<Request, Reply> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting<Reply>>();
  #ended: Error | null = null;
  #nextId = 0;

  constructor(main: URL) {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !HELD_BACK.test(name)));
    this.#child = fork(fileURLToPath(main), {
      env,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.once('error', (error) => this.#failAll(error));
    this.#child.once('exit', (code, signal) => this.#failAll(new ProcessEnded(signal ?? `exit code ${code}`)));
    // An answer of our own code, of the same build.
    this.#child.on('message', (message) => this.#take(message as Answered<Reply>));
  }

  /** @throws ProcessEnded if the process ends before it answers; errors of the work itself, as a PartloopError */
  ask(request: Request): Promise<Reply> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // If it cannot be sent, the process is ending and reports how.
      this.#child.send({ id, request } satisfies Asked<Request>, () => undefined);
    });
  }

  /** Ends it at once: it has nothing to save. Open requests fail with `how`. */
  async close(how = 'it was closed'): Promise<void> {
    this.#failAll(new ProcessEnded(how));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #take(answer: Answered<Reply>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('reply' in answer) {
      waiting?.resolve(answer.reply);
      return;
    }
    const { code, message, hint } = answer.failed;
    waiting?.reject(new PartloopError(code, message, hint === null ? {} : { hint }));
  }

  #failAll(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/** The other side of a `HelperProcess`: answer the parent's requests until it disconnects. */
export function serveParent<Request, Reply>(answer: (request: Request) => Promise<Reply>): void {
  const answered = async ({ id, request }: Asked<Request>): Promise<Answered<Reply>> => {
    try {
      return { id, reply: await answer(request) };
    } catch (error) {
      const known = error instanceof PartloopError ? error : null;
      const message = error instanceof Error ? error.message : String(error);
      return { id, failed: { code: known?.code ?? 'internal', message, hint: known?.hint ?? null } };
    }
  };
  process.on('message', (asked: Asked<Request>) => {
    void answered(asked).then((message) => process.send?.(message));
  });
  // Ctrl-C at a terminal and a stop of the whole service reach this process too; its parent needs it to end in order.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  // Not `exit`, which would wait for a hanging thread.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}
