import type { Progress } from '../domain/progress.js';
import { measure } from './measure.js';

/** Measures what the reports of one activity say was done: how much, and how fast. */
export class Speed {
  #phase: { name: string; unit: string; from: number; done: number; startedAt: number } | null = null;

  take({ phase, done, unit }: Progress): void {
    const known = this.#phase;
    if (known === null || known.name !== phase || done < known.done) {
      this.end();
      // What the first report of a phase says may have been done by an earlier try.
      this.#phase = { name: phase, unit, from: done, done, startedAt: performance.now() };
      return;
    }
    if (done > known.done) measure('partloop_items_done_total', done - known.done, { unit });
    known.done = done;
  }

  /** The phase is over: tell its images a second. */
  end(): void {
    const known = this.#phase;
    this.#phase = null;
    if (known === null || known.unit !== 'images' || known.done === known.from) return;
    const seconds = Math.max(0.001, (performance.now() - known.startedAt) / 1_000);
    measure('partloop_images_per_second', (known.done - known.from) / seconds, { phase: known.name });
  }
}
