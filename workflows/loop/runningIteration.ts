import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  patched,
  startChild,
} from '@temporalio/workflow';
import { iterationWorkflowId } from '../../domain/base/ids.js';
import { type Ending, endingTold, type LoopMachine } from '../../domain/loop/machine.js';
import type { IterationContext } from '../../domain/steps.js';
import { bookkeeping, joining } from '../activities.js';
import { hasCode, rootMessage } from '../failures.js';
import { pauseIterationSignal } from '../iteration/messages.js';
import { loopIteration } from '../loopIteration.js';
import { LOOKS_AGAIN, WAITS_FOR_THE_END } from './patches.js';

/** The part of an iteration's results used here: an iteration without new images has none. */
const hasDrawn = (results: unknown): boolean =>
  typeof results === 'object' && results !== null && 'draw' in results && results.draw !== undefined;

/** One iteration of a loop, begun by it or found running, until its end. */
export class RunningIteration {
  readonly #loop: string;
  readonly #number: number;
  readonly #workflowId: string;
  /** The loop's present state: the iteration's messages, and whether it is paused. */
  readonly #machine: () => LoopMachine;
  #cancel: (() => void) | null = null;

  constructor(loop: string, iteration: number, machine: () => LoopMachine) {
    this.#loop = loop;
    this.#number = iteration;
    this.#workflowId = iterationWorkflowId(loop, iteration);
    this.#machine = machine;
  }

  /** End it early; its finished work is kept. */
  cancel(): void {
    this.#cancel?.();
  }

  /** Run it from its preparation, or wait for the existing run. Any failure counts as an end, too. */
  async run(prepare: () => Promise<IterationContext>): Promise<Ending> {
    const scope = new CancellationScope();
    this.#cancel = () => scope.cancel();
    try {
      const context = await prepare();
      return await scope.run(() => this.#child(context));
    } catch (problem) {
      if (problem instanceof WorkflowExecutionAlreadyStartedError) return await this.#join();
      // A pool without new images was a failure in iterations of earlier builds.
      if (hasCode(problem, 'pool-exhausted')) return { kind: 'no-images' };
      const error = `iteration ${this.#number}: ${rootMessage(problem)}`;
      // Also if a stop came before the iteration was found running under another run of the loop.
      const isKnown = this.#told() !== null;
      if (!isKnown && patched(LOOKS_AGAIN) && (await this.#isOpen())) return await this.#join();
      return { kind: 'failed', error };
    }
  }

  async #child(context: IterationContext): Promise<Ending> {
    const child = await startChild(loopIteration, {
      workflowId: this.#workflowId,
      args: [{ context }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `iteration ${this.#number} of ${this.#loop}`,
    });
    if (this.#machine().paused) await child.signal(pauseIterationSignal, true);
    const results = await Promise.race([
      child.result(),
      // Not cancelled with the iteration: if the loop ended first, its cancellation request would be lost.
      CancellationScope.nonCancellable(() => condition(() => this.#told()?.status === 'finished')),
    ]);
    return { kind: results === undefined || hasDrawn(results) ? 'finished' : 'no-images' };
  }

  /**
   * The iteration runs under a run that this loop did not start: after a reset or a termination in the UI. It is held
   * and cancelled through its own handle, and its signal says when it ends.
   */
  async #join(): Promise<Ending> {
    const handle = getExternalWorkflowHandle(this.#workflowId);
    this.#cancel = () => void handle.cancel().catch(() => undefined);
    if (patched(LOOKS_AGAIN)) {
      if (this.#machine().running?.cancelled) this.cancel();
      await handle.signal(pauseIterationSignal, this.#machine().paused).catch(() => undefined);
    }
    if (patched(WAITS_FOR_THE_END)) return await this.#untilEnded();
    while (!(await condition(() => this.#told() !== null, '10 minutes'))) {
      if (!(await this.#isOpen())) break;
    }
    return this.#ending() ?? this.#endedFromOutside();
  }

  /** Until the iteration reports its end, or has ended without a report because somebody terminated it. */
  async #untilEnded(): Promise<Ending> {
    for (;;) {
      const told = condition(() => this.#told() !== null);
      // Not cancelled after the report: the iteration is about to end, and a cancellation would reach it.
      const joined = await Promise.race([told, joining.joinWorkflow({ workflowId: this.#workflowId })]);
      const ending = this.#ending();
      if (ending !== null) return ending;
      if (joined?.status === 'failed') return { kind: 'failed', error: `iteration ${this.#number}: ${joined.message}` };
      if (joined?.status === 'completed') return { kind: hasDrawn(joined.result) ? 'finished' : 'no-images' };
      // It may have been reset, and then it still runs.
      if (!(await this.#isOpen())) return this.#endedFromOutside();
    }
  }

  /** The running iteration's report of its end; null if there is none. */
  #ending(): Ending | null {
    const note = this.#told();
    if (note === null) return null;
    if (note.status !== 'failed') return { kind: note.status };
    return { kind: 'failed', error: `iteration ${this.#number}: ${note.error ?? 'failed'}` };
  }

  #endedFromOutside(): Ending {
    return { kind: 'failed', error: `iteration ${this.#number}: it was ended from outside` };
  }

  #told(): ReturnType<typeof endingTold> {
    return endingTold(this.#machine());
  }

  #isOpen(): Promise<boolean> {
    return bookkeeping.isRunning({ workflowId: this.#workflowId });
  }
}
