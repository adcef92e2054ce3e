import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { loopWorkflowId } from '../../domain/base/ids.js';
import { iterationDetails } from '../../domain/loop/details.js';
import type { IterationFinished } from '../../domain/messages.js';
import type { IterationContext, Step, StepResults } from '../../domain/steps.js';
import { bookkeeping } from '../activities.js';
import { mayPass } from '../failures.js';
import { showAttributes } from '../searchAttributes.js';
import {
  iterationFinishedSignal,
  iterationHeldSignal,
  iterationProgressQuery,
  pauseIterationSignal,
} from './messages.js';
import { HOLDS_OVER_FAULTS, TELLS_THE_LOOP } from './patches.js';

/** Runs the steps of one iteration in turn: keeps their results, holds between them, and reports to the loop. */
export class IterationRun {
  readonly #context: IterationContext;
  readonly #kept: StepResults;
  readonly #board: string | null;
  readonly #loop: ReturnType<typeof getExternalWorkflowHandle>;
  readonly #iterationScope = CancellationScope.current();
  #results: StepResults = {};
  #current: Step | null = null;
  #paused = false;
  #held = false;
  /** Cancellation scope of the current step, for a pause that does not wait for its end. */
  #stepScope: CancellationScope | null = null;

  /**
   * @param kept results of an earlier attempt, which count unchanged
   * @param board where people open the board; null if nobody said
   */
  constructor(context: IterationContext, kept: StepResults, board: string | null) {
    this.#context = context;
    this.#kept = kept;
    this.#board = board;
    this.#loop = getExternalWorkflowHandle(loopWorkflowId(context.loop));
  }

  get results(): StepResults {
    return this.#results;
  }

  /** Accept pauses, and answer queries about progress. */
  setHandlers(): void {
    setHandler(
      pauseIterationSignal,
      (value, now = false) => {
        this.#paused = value;
        if (value && now) this.#stepScope?.cancel();
      },
      {
        description:
          'Hold before the next step, or go on; with a second `true` the current step saves its work and holds',
      },
    );
    setHandler(iterationProgressQuery, () => ({ step: this.#current, held: this.#held, results: this.#results }), {
      description: 'The current step, whether it holds, and the results so far',
    });
  }

  /** One step, when nothing holds it; an earlier attempt's result of it is a hit. */
  async step<Name extends Step>(name: Name, work: () => Promise<NonNullable<StepResults[Name]>>): Promise<void> {
    await this.#holdWhilePaused();
    const done = this.#kept[name];
    if (done !== undefined) {
      this.#results = { ...this.#results, [name]: { ...done, outcome: 'hit' } };
      return;
    }
    this.#current = name;
    showAttributes({ step: name });
    setCurrentDetails(this.#details());
    const startedAt = Date.now();
    const result = await this.#inScope(work);
    // The step's own time, including its waits; the activity knows only its part.
    const seconds = result.outcome === 'hit' ? result.seconds : Math.round((Date.now() - startedAt) / 100) / 10;
    this.#results = { ...this.#results, [name]: { ...result, seconds } };
    this.#showFacts();
  }

  async finish(): Promise<void> {
    this.#current = null;
    setCurrentDetails(this.#details());
    await this.#record('finished', null);
  }

  /** Also if the iteration is being cancelled. */
  fail(error: string): Promise<void> {
    return CancellationScope.nonCancellable(() => this.#record('failed', error));
  }

  /**
   * A pool without new images is no failure: nothing is recorded, and the loop runs this iteration again when the pool
   * has grown.
   */
  async endWithoutImages(): Promise<void> {
    setCurrentDetails('The pool has no new images; the loop waits for some.');
    await this.#tellEnd({ iteration: this.#context.iteration, status: 'no-images', error: null });
  }

  #showFacts(): void {
    const { evaluate, decide, train } = this.#results;
    const [miou, gate] = [evaluate?.facts.miou, decide?.facts.gate];
    if (miou != null) showAttributes({ miou });
    if (gate != null) showAttributes({ gate });
    if (train !== undefined) showAttributes({ model: train.digest.slice(0, 12) });
    setCurrentDetails(this.#details());
  }

  #details(): string {
    return iterationDetails(this.#context, this.#current, this.#results, this.#board);
  }

  /** A step; if a pause cancels it, its saved work stays and it continues from there afterwards. */
  async #inScope<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      const scope = new CancellationScope();
      this.#stepScope = scope;
      try {
        return await scope.run(work);
      } catch (error) {
        const isHeld = scope.consideredCancelled && !this.#iterationScope.consideredCancelled;
        // Cancelled work is not retried: a transient fault then ends it in place of the cancellation.
        const isOver = isCancellation(error) || (isHeld && mayPass(error) && patched(HOLDS_OVER_FAULTS));
        if (!isHeld || !isOver) throw error;
      } finally {
        this.#stepScope = null;
      }
      await this.#holdWhilePaused();
    }
  }

  async #holdWhilePaused(): Promise<void> {
    if (!this.#paused) return;
    if (!patched(TELLS_THE_LOOP)) return condition(() => !this.#paused);
    this.#held = true;
    setCurrentDetails(`**Paused** before the step goes on\n\n${this.#details()}`);
    await this.#tellHeld();
    await condition(() => !this.#paused);
    this.#held = false;
    await this.#tellHeld();
  }

  async #tellHeld(): Promise<void> {
    const { iteration } = this.#context;
    // A loop that does not run has no reader for it.
    await this.#loop.signal(iterationHeldSignal, { iteration, held: this.#held }).catch(() => undefined);
  }

  /** The record in the store decides; the signal only wakes a waiting loop, even one that saw an earlier run fail. */
  async #record(status: 'finished' | 'failed', error: string | null): Promise<void> {
    const { runId } = workflowInfo();
    await bookkeeping.recordIteration({ context: this.#context, results: this.#results, status, error, runId });
    await this.#tellEnd({ iteration: this.#context.iteration, status, error });
  }

  async #tellEnd(message: IterationFinished): Promise<void> {
    try {
      await this.#loop.signal(iterationFinishedSignal, message);
    } catch {
      // No loop runs under this id: the record is enough, the loop reads it when it starts.
    }
  }
}
