import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PartloopError } from '../domain/errors.js';
import type { JudgeReply, JudgeRequest, Sight } from './judgeMessages.js';
import type { ThreadSetup } from './scanMessages.js';
import type { PictureToJudge, ScannedImage } from './scanPipeline.js';
import { Watchdog } from './watchdog.js';

/** Variables that a process which runs a stranger's model has no need of. */
const HELD_BACK = /^(AWS_|S3_|TEMPORAL_|PARTLOOP_)/;

/** A judge process ended, or was ended since it gave no answer; `how` is said of it, as `SIGSEGV`. */
export class JudgeEnded extends Error {
  constructor(readonly how: string) {
    super(`the judge process ended: ${how}`);
    this.name = 'JudgeEnded';
  }
}

/**
 * A process of its own with one session of a model. Native code that ends it (a crash in libvips or ONNX Runtime, the kernel
 * out of memory) or hangs ends nothing else, and what it had in hand is known.
 */
export class JudgeProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;
  readonly #watchdog: Watchdog;

  private constructor(stallMs: number) {
    this.#watchdog = new Watchdog(stallMs);
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !HELD_BACK.test(name)));
    this.#child = fork(fileURLToPath(new URL('./judgeMain.js', import.meta.url)), {
      env,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#ended = new Promise((_, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => reject(new JudgeEnded(signal ?? `exit code ${code}`)));
    });
    this.#ended.catch(() => undefined);
  }

  /** @throws JudgeEnded where loading the model ended it; PartloopError `model-invalid` where the model is refused */
  static async open(setup: ThreadSetup, stallMs: number): Promise<JudgeProcess> {
    const judge = new JudgeProcess(stallMs);
    try {
      await judge.#ask({ type: 'open', setup }, 'ready');
      return judge;
    } catch (error) {
      await judge.close();
      throw error;
    }
  }

  async judge(job: PictureToJudge): Promise<Omit<ScannedImage, 'row'>> {
    const { analysis, error, unusable } = await this.#ask({ type: 'judge', job }, 'judged');
    return { analysis, error, unusable };
  }

  /** @throws PartloopError `answer-invalid` where the model gives no number for it, `data-invalid` where it cannot be decoded */
  async look(image: Uint8Array, name: string): Promise<Sight> {
    return (await this.#ask({ type: 'look', image, name }, 'seen')).sight;
  }

  /** Ends it at once: it holds nothing. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #ask<T extends JudgeReply['type']>(request: JudgeRequest, type: T): Promise<Extract<JudgeReply, { type: T }>> {
    // A reply of our own code, of the same build.
    const replied = once(this.#child, 'message') as Promise<[JudgeReply]>;
    replied.catch(() => undefined);
    // Where it cannot be sent the process is ending, and says how.
    this.#child.send(request, () => undefined);
    const [reply] = await this.#within(Promise.race([replied, this.#ended]), request.type === 'open');
    if (reply.type === 'failed') {
      const { code, message, hint } = reply;
      throw new PartloopError(code, message, hint === null ? {} : { hint });
    }
    if (reply.type !== type) throw new PartloopError('internal', `a judge process answered ${reply.type}`);
    return reply as Extract<JudgeReply, { type: T }>;
  }

  async #within<T>(work: Promise<T>, rare: boolean): Promise<T> {
    try {
      return await this.#watchdog.guard('no answer', work, { rare });
    } catch (error) {
      if (!(error instanceof PartloopError) || error.code !== 'inference-stalled') throw error;
      await this.close();
      throw new JudgeEnded(error.message);
    }
  }
}
