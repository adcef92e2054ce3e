import {
  ApplicationFailure,
  condition,
  getExternalWorkflowHandle,
  patched,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { z } from 'zod';
import { iterationWorkflowId } from '../../domain/base/ids.js';
import { loopConfigSchema } from '../../domain/config.js';
import { loopDetails } from '../../domain/loop/details.js';
import {
  begun,
  counted,
  type Deed,
  ended,
  endingTold,
  type LoopMachine,
  looked,
  nextDeed,
  poolGrew,
  prepared,
  wasRead,
} from '../../domain/loop/machine.js';
import { setConfig, setPolicy } from '../../domain/loop/requests.js';
import { statusOf } from '../../domain/loop/status.js';
import type { Approval, approveIterationSchema, LoopStatus } from '../../domain/messages.js';
import { parseRecorded } from '../../domain/settings/parse.js';
import { withTunedSettings } from '../../domain/tune/space.js';
import { bookkeeping, light } from '../activities.js';
import { isFaultOfData, orFail, plainly } from '../failures.js';
import { pauseIterationSignal } from '../iteration/messages.js';
import { showAttributes } from '../searchAttributes.js';
import { KEEPS_REQUESTS, LOOKS_AGAIN, WAITS_FOR_THE_END } from './patches.js';
import { RunningIteration } from './runningIteration.js';

/** One run of a loop: its machine, and the actions that connect it with the store, the pool and iterations. */
export class LoopRun {
  readonly #name: string;
  /** Every event, in handlers and in the loop, replaces it as a whole. */
  machine: LoopMachine;
  #underWay: RunningIteration | null = null;
  /** Where people open the board; null if nobody said. */
  #board: string | null = null;

  constructor(name: string, machine: LoopMachine) {
    this.#name = name;
    this.machine = machine;
  }

  get name(): string {
    return this.#name;
  }

  get status(): LoopStatus {
    return statusOf(this.#name, this.machine);
  }

  /** True after the store was read: before that nothing is known, and no request can be judged. */
  get isReady(): boolean {
    return this.machine.next > 0;
  }

  /** The status as the Temporal UI shows it. */
  show(): void {
    setCurrentDetails(loopDetails(this.status, this.machine.config, this.#board));
  }

  /** The next action. It waits until there is one, for at most an hour: after that, waiting is the action. */
  async awaitDeed(): Promise<Deed> {
    const woken = await condition(() => nextDeed(this.machine).kind !== 'wait' || this.#isLong(), '1 hour');
    return woken ? nextDeed(this.machine) : { kind: 'wait' };
  }

  /** Do one action; the end is left to the workflow. */
  async do(deed: Exclude<Deed, { kind: 'end' }>): Promise<void> {
    if (deed.kind === 'read') await this.#takeNews();
    else if (deed.kind === 'count') await this.#countImages();
    else if (deed.kind === 'run') await this.#runIteration(deed);
    else await this.#lookAtPool();
  }

  /** Take over the store's record of this loop. */
  async readStore(): Promise<void> {
    const record = await bookkeeping.loadLoop({ loop: this.#name, lookForRunning: this.machine.next === 0 });
    this.#board = record.board ?? null;
    // Older histories have neither searches nor kept settings.
    const known = { ...record, proposal: record.proposal ?? null, config: record.config ?? null };
    this.machine = wasRead(this.machine, known, record.running != null && patched(WAITS_FOR_THE_END));
  }

  /**
   * Refuses a loop that a person started by hand with a number of iterations but without their settings.
   *
   * @throws ApplicationFailure `input-invalid`
   */
  refuseWithoutConfig(): void {
    if (this.machine.remaining === 0 || this.machine.config !== null) return;
    throw ApplicationFailure.nonRetryable(
      `loop \`${this.#name}\` has no settings yet: start the workflow \`startLoop\` instead, under any id; \`{}\` is enough`,
      'input-invalid',
    );
  }

  /** The proposal goes into the current configuration and, in the store, into that of every later start. */
  async adoptProposal(): Promise<void> {
    const { settings } = await plainly(bookkeeping.adoptProposal({ loop: this.#name }));
    const { config } = this.machine;
    this.machine = { ...this.machine, proposal: null };
    if (config !== null) {
      const train = withTunedSettings(config.train, settings);
      const adopted = orFail(() => parseRecorded(loopConfigSchema, { ...config, train }, 'the adopted settings'));
      this.machine = setConfig(this.machine, adopted);
    }
    this.show();
  }

  /** The policy goes into the store, too: a loop that is stopped keeps it. */
  async keepPolicy(): Promise<void> {
    const { config } = this.machine;
    if (config !== null) await bookkeeping.keepPolicy({ loop: this.#name, policy: config.policy });
  }

  /**
   * The candidate of an iteration goes into production, whatever the loop does meanwhile. Only the answer to this
   * request schedules the activity, so that no history from before it has another command.
   */
  approve(request: z.output<typeof approveIterationSchema>): Promise<Approval> {
    return plainly(bookkeeping.approveIteration({ loop: this.#name, ...request }));
  }

  /** Tell an iteration to hold before its next step, or `now`, or to go on. */
  holdIteration(iteration: number, paused: boolean, now: boolean): Promise<void> {
    const handle = getExternalWorkflowHandle(iterationWorkflowId(this.#name, iteration));
    // An iteration that just ended needs no message.
    return handle.signal(pauseIterationSignal, paused, now).catch(() => undefined);
  }

  /** End the current iteration early; its finished work is kept. */
  cancelIteration(): void {
    this.#underWay?.cancel();
  }

  /** One iteration, from its preparation to its end, by itself or by somebody's action. */
  async #runIteration({ iteration, from, settings }: Extract<Deed, { kind: 'run' }>): Promise<void> {
    const loop = this.#name;
    this.machine = begun(this.machine, iteration);
    this.show();
    this.#underWay = new RunningIteration(loop, iteration, () => this.machine);
    const ending = await this.#underWay.run(async () => {
      const { config } = this.machine;
      const context = await bookkeeping.prepareIteration({ loop, iteration, config, from, settings });
      const asked = this.machine.config?.policy;
      this.machine = prepared(this.machine, iteration, context.config);
      // A policy that was set while the iteration was prepared holds on.
      if (asked !== undefined && JSON.stringify(asked) !== JSON.stringify(config?.policy ?? asked)) {
        this.machine = setPolicy(this.machine, asked);
        await this.keepPolicy();
      }
      return context;
    });
    this.#underWay = null;
    const wasTold = endingTold(this.machine) !== null;
    this.machine = ended(this.machine, ending);
    if (wasTold || patched(LOOKS_AGAIN)) await this.#takeNews();
    else this.machine = { ...this.machine, stale: false };
    this.show();
  }

  /** Processes the messages of iterations at their end: the store is read again, so that nothing is counted twice. */
  async #takeNews(): Promise<void> {
    const before = this.machine.next;
    await this.readStore();
    const { next, proposal, config, rows } = this.machine;
    if (next > before && proposal !== null && config?.tune.adopt === 'auto') await this.adoptProposal();
    const latest = rows.at(-1);
    showAttributes({
      ...(latest?.miou == null ? {} : { miou: latest.miou }),
      ...(latest?.gate == null ? {} : { gate: latest.gate }),
    });
    this.show();
  }

  /** How many images the loop could draw now. News that arrive while they are counted have them counted again. */
  async #countImages(): Promise<void> {
    this.machine = { ...this.machine, countDue: false };
    const pool = this.machine.config?.pool ?? '';
    // A pool that somebody deleted has none; the loop must not end over it.
    const { undrawn } = await light.countUndrawn({ loop: this.#name, pool }).catch((error: unknown) => {
      if (isFaultOfData(error)) return { undrawn: 0 };
      throw error;
    });
    const { countDue } = this.machine;
    this.machine = { ...counted(this.machine, undrawn), countDue };
    this.show();
  }

  /** While the loop waits for images: an iteration is worth a try where the pool has another version. */
  async #lookAtPool(): Promise<void> {
    const { waiting, paused, config } = this.machine;
    if (!waiting || paused || config === null) return;
    if (!patched(LOOKS_AGAIN)) {
      this.machine = poolGrew(this.machine);
      return;
    }
    const before = this.machine;
    const version = await bookkeeping.poolVersion({ pool: config.pool });
    this.machine = looked(patched(KEEPS_REQUESTS) ? this.machine : before, version);
  }

  /** Requests lengthen a history too, even while nothing runs: a loop that only waited would fail at its 2,000th. */
  #isLong(): boolean {
    return workflowInfo().continueAsNewSuggested && this.machine.running === null && patched(LOOKS_AGAIN);
  }
}
