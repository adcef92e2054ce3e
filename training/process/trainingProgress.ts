import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Progress } from '../../domain/progress.js';
import type { Heartbeat } from '../../steps/heartbeat.js';
import { type LocalCheckpoint, logOf } from '../checkpoints/checkpointUploader.js';
import type { TrainerMessage } from './protocol.js';

const logLineSchema = z.object({
  iteration: z.number(),
  loss: z.number(),
  lr: z.number(),
  secondsPerIteration: z.number(),
});
type LogLine = z.infer<typeof logLineSchema>;
type Beat = Pick<Heartbeat, 'report'>;

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Progress of one run: heartbeat details, the last loss, and the log that accompanies a checkpoint. */
export class TrainingProgress {
  /** Log files written beside checkpoints so far. */
  settled: Promise<void> = Promise.resolve();

  private constructor(
    private readonly iterations: number,
    private readonly beat: Beat,
    private readonly lines: LogLine[],
    public loss: number | null,
  ) {}

  /** Continues the log beside a checkpoint; unreadable lines and lines about later iterations are left out. */
  static async from(checkpoint: LocalCheckpoint | null, iterations: number, beat: Beat): Promise<TrainingProgress> {
    const text = checkpoint === null ? '' : await readFile(logOf(checkpoint.path), 'utf8').catch(() => '');
    const lines = text.split('\n').flatMap((line) => {
      const parsed = logLineSchema.safeParse(parseLine(line));
      return parsed.success && parsed.data.iteration <= (checkpoint?.iteration ?? 0) ? [parsed.data] : [];
    });
    return new TrainingProgress(iterations, beat, lines, lines.at(-1)?.loss ?? null);
  }

  /**
   * The log as JSON lines up to an iteration. Checkpoints are written during the training, so the message about one may
   * follow messages about later iterations. After a resume those are trained and logged again.
   */
  textUpTo(iteration: number): string {
    return this.lines
      .filter((line) => line.iteration <= iteration)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');
  }

  take(message: TrainerMessage): void {
    if (message.type === 'started') {
      this.tell('training', message.resumedFrom ?? 0);
    } else if (message.type === 'progress') {
      const { iteration, loss, lr, secondsPerIteration, etaSeconds } = message;
      this.loss = loss;
      this.lines.push({ iteration, loss, lr, secondsPerIteration });
      this.tell('training', iteration, `loss ${loss.toFixed(3)}, ${Math.round(etaSeconds)} s left`);
    } else if (message.type === 'metrics') {
      const { valMiou } = message;
      this.tell('exporting', this.iterations, valMiou === null ? undefined : `validation mIoU ${valMiou.toFixed(4)}`);
    }
  }

  private tell(phase: Progress['phase'], done: number, note?: string): void {
    const progress: Progress = { phase, done, total: this.iterations, unit: 'iterations' };
    this.beat.report(note === undefined ? progress : { ...progress, note });
  }
}
