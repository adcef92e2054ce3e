import { PartloopError } from '../../domain/base/errors.js';
import { HelperProcess, ProcessEnded } from '../../storage/pictures/helperProcess.js';
import type { ThreadSetup } from '../sessions/scanMessages.js';
import type { PictureToJudge, ScannedImage } from '../sessions/scanPipeline.js';
import { isStalled, Watchdog } from '../watchdog.js';
import type { JudgeReply, JudgeRequest, Prediction, Sight } from './judgeMessages.js';

/**
 * A separate process with one session of a model. If native code crashes or hangs (in libvips or ONNX Runtime) or
 * memory runs out, only this process ends, and its picture in hand is known.
 */
export class JudgeProcess {
  readonly #helper = new HelperProcess<JudgeRequest, JudgeReply>(new URL('./judgeMain.js', import.meta.url));
  readonly #watchdog: Watchdog;

  private constructor(stallMs: number) {
    this.#watchdog = new Watchdog(stallMs);
  }

  /** @throws ProcessEnded if loading the model ended it; PartloopError `model-invalid` if the model is refused */
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

  /**
   * @throws PartloopError `answer-invalid` if the model gives no number for it, `data-invalid` if it cannot be decoded
   */
  async look(image: Uint8Array, name: string): Promise<Sight> {
    return (await this.#ask({ type: 'look', image, name }, 'seen')).sight;
  }

  /** The labels that the model would give; errors as for a look. */
  async predict(image: Uint8Array, name: string): Promise<Prediction> {
    return (await this.#ask({ type: 'predict', image, name }, 'predicted')).prediction;
  }

  /** Ends it at once: it has nothing to save. */
  close(): Promise<void> {
    return this.#helper.close();
  }

  async #ask<T extends JudgeReply['type']>(request: JudgeRequest, type: T): Promise<Extract<JudgeReply, { type: T }>> {
    const reply = await this.#within(this.#helper.ask(request), request.type === 'open');
    if (reply.type !== type) throw new PartloopError('internal', `a judge process answered ${reply.type}`);
    return reply as Extract<JudgeReply, { type: T }>;
  }

  async #within<T>(work: Promise<T>, rare: boolean): Promise<T> {
    try {
      return await this.#watchdog.guard('no answer', work, { rare });
    } catch (error) {
      if (!isStalled(error)) throw error;
      await this.close();
      throw new ProcessEnded(error.message);
    }
  }
}
