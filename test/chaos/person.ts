import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { PartloopError } from '../../domain/base/errors.js';
import { rootFailure } from '../../domain/base/failures/rootFailure.js';
import { loopWorkflowId } from '../../domain/base/ids.js';
import { nextIteration } from '../../domain/loop/state.js';
import type { LoopStatus } from '../../domain/messages.js';
import { loopStatus } from '../../steering/loopClient.js';
import { isOpen } from '../../steps/workflows/openWorkflows.js';
import { readLoopState } from '../../storage/loopState.js';
import type { World } from './faults/fault.js';
import { askForIterations } from './faults/workflows.js';
import { commandFor } from './outcome/advice.js';
import { stepUnderWay } from './progress.js';

const LOOK_MS = 1_000;
/** Longer than every heartbeat, back-off and restart of this loop together. */
const STANDSTILL_MS = 5 * 60_000;

/** A message that a person met, and the reaction. */
export interface Met {
  sentence: string;
  did: string;
}

/**
 * A person at the loop: starts again what was terminated, does what a failure's sentence says, and asks for the
 * iterations that are left. Ends when all are done.
 *
 * @throws Error if the loop stands still, fails without a sentence, or fails again although its sentence was
 * followed
 */
export class Person {
  readonly met: Met[] = [];
  readonly #world: World;
  /** Waits until nothing is broken any more. */
  readonly #calm: <T>(work: () => Promise<T>) => Promise<T>;
  readonly #lastFault: () => number;
  #seen = '';
  #seenAt = Date.now();
  /** Sentences that were followed. */
  #failures: string[] = [];

  constructor(world: World, calm: <T>(work: () => Promise<T>) => Promise<T>, lastFault: () => number) {
    this.#world = world;
    this.#lastFault = lastFault;
    this.#calm = calm;
  }

  async attend(): Promise<void> {
    const { signal } = this.#world;
    while (!signal.aborted) {
      const look = await this.#look().catch(() => null);
      if (look !== null && (await this.#answer(look))) return;
      await this.#assertMoving(look);
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
    signal.throwIfAborted();
  }

  /** The answer of the loop; `gone` if it does not run. */
  #look(): Promise<LoopStatus | 'gone'> {
    const { home, loop } = this.#world;
    return home.withClient(async (client) => {
      if (!(await isOpen(client, loopWorkflowId(loop)))) return 'gone';
      return loopStatus(client, loop);
    });
  }

  /** True when all is done. */
  async #answer(look: LoopStatus | 'gone'): Promise<boolean> {
    if (look === 'gone') await this.#startAgain();
    else if (look.phase === 'failed') await this.#follow(look);
    else if (look.phase === 'idle') return this.#take(look);
    else if (look.phase === 'waiting for images' || look.phase === 'stopped')
      throw new Error(`the loop is ${look.phase}, which nobody asked for`);
    return false;
  }

  /** Whether everything asked for is done. Only between starts is this known. */
  #take(earlier: LoopStatus): Promise<boolean> {
    const { account, iterations, inTurn } = this.#world;
    return inTurn(async () => {
      const look = await this.#look().catch(() => null);
      if (look === null || look === 'gone' || look.phase !== 'idle' || look.nextIteration !== earlier.nextIteration)
        return false;
      // A loop that just began has not read its store.
      if (look.nextIteration === 0) return false;
      const done = look.nextIteration - 1;
      if (done !== account.owed)
        throw new Error(`the loop is idle after iteration ${done}; ${account.owed} was promised`);
      if (done >= iterations) return true;
      try {
        account.take(iterations - done, await askForIterations(this.#world, iterations - done));
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        this.#note(rootFailure(error).message, 'loop start again');
      }
      return false;
    });
  }

  /** Somebody terminated the loop: ask again for its debt, also for the iteration that runs without it. */
  async #startAgain(): Promise<void> {
    await this.#calm(() =>
      this.#world.inTurn(async () => {
        const { account, loop, home } = this.#world;
        if ((await this.#look()) !== 'gone') return;
        const known = await readLoopState(await home.store(), loop).catch((error: unknown) => {
          // A store that was ended a moment ago is still on its way.
          if (error instanceof PartloopError && error.code === 'store-unavailable') return null;
          throw error;
        });
        if (known === null) return;
        const done = nextIteration(known) - 1;
        const missing = account.owed - done;
        account.forget(done);
        if (missing > 0) account.take(missing, await askForIterations(this.#world, missing));
        this.#note('the loop does not run', `loop start, ${missing} iterations`);
      }),
    );
  }

  async #follow({ error, nextIteration: iteration }: LoopStatus): Promise<void> {
    const { home, loop, inTurn } = this.#world;
    const sentence = error ?? '';
    if (sentence === '') throw new Error('the loop failed without a word');
    await this.#calm(async () => {
      await home.up();
      await inTurn(async () => {
        const now = await this.#look();
        if (now === 'gone' || now.phase !== 'failed') return;
        const command = commandFor(
          sentence,
          this.#failures.filter((each) => each === sentence).length,
          loop,
          iteration,
        );
        this.#failures.push(sentence);
        if (command === null)
          throw new Error(`the loop fails again and again, whatever its sentence says: ${sentence}`);
        const { code, stderr } = await home.command(command);
        this.#note(sentence, command.join(' '));
        if (code !== 0) throw new Error(`\`partloop ${command.join(' ')}\` exited with ${code}: ${stderr}`);
      });
    });
  }

  #note(sentence: string, did: string): void {
    this.met.push({ sentence, did });
    this.#world.journal.note('person', { sentence, did });
  }

  async #assertMoving(look: LoopStatus | 'gone' | null): Promise<void> {
    const { home, loop, iterations } = this.#world;
    const under = await home.withClient((client) => stepUnderWay(client, loop, iterations)).catch(() => null);
    const seen = JSON.stringify([look === null || look === 'gone' ? look : [look.phase, look.nextIteration], under]);
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#seenAt = Date.now();
    }
    if (Date.now() - Math.max(this.#seenAt, this.#lastFault()) < STANDSTILL_MS) return;
    throw new Error(`the loop stands still: ${seen}; ${await this.#pending()}`);
  }

  /** The waiting requests, for error messages. */
  #pending(): Promise<string> {
    const { home, loop } = this.#world;
    return home
      .withClient(async (client) => {
        const lines: string[] = [];
        for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
          if (!workflowId.startsWith(loopWorkflowId(loop))) continue;
          const { raw } = await client.workflow.getHandle(workflowId).describe();
          for (const { activityType, attempt, lastFailure } of raw.pendingActivities ?? [])
            lines.push(
              `${workflowId} ${activityType?.name} attempt ${attempt}: ${lastFailure?.message ?? 'no failure'}`,
            );
        }
        return lines.join('; ');
      })
      .catch((error: unknown) => (error instanceof WorkflowNotFoundError ? 'gone' : String(error)));
  }
}
