import { PartloopError } from '../../domain/base/errors.js';
import { KEPT_CHECKPOINTS } from '../../domain/train/job.js';
import { compareAndSwap } from '../../storage/objects/compareAndSwap.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Commands } from '../trainingRun.js';
import { type Chain, isLate, type LostCheckpoint, readChain, type StoredCheckpoint, type Turn } from './chainState.js';

/**
 * Number of starts without a new checkpoint after which a retry is pointless; a machine may die twice before the first.
 */
const MAX_STARTS = 5;
/** Largest number of failures of the trainer itself without a new checkpoint in between. */
const MAX_FAILURES = 2;

export interface Claim {
  attempt: string;
  /** The request of a person to which this attempt belongs: earlier failures do not count. */
  generation: string;
  turn: Turn | null;
  commands: Commands;
  /** Chain of the run that a replay asks for again: if this chain is new, it continues from that one's checkpoints. */
  from?: string | null;
}

/**
 * The trainer's lease and the pointer to its newest checkpoint: `latest.json`, a chain of If-Match writes. A new
 * attempt takes over the lease; the old one notices at its next write, and publishes nothing after that.
 */
export class CheckpointChain {
  private aside: LostCheckpoint[] = [];

  private constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
    private readonly commands: Commands,
    private state: Chain,
    private etag: string,
  ) {}

  /**
   * Take the lease. Throws `no-progress` if earlier attempts at the same request made no progress, `fenced` if a newer
   * attempt has it.
   */
  static async claim(store: ObjectStore, key: string, claim: Claim): Promise<CheckpointChain> {
    const { attempt, generation, turn, commands } = claim;
    const { result: state, etag } = await compareAndSwap(store, key, {
      purpose: "to take the trainer's lease",
      read: async () => {
        const found = await readChain(store, key, commands);
        return { value: found?.state ?? null, etag: found?.etag ?? null };
      },
      decide: async (found) => {
        if (found !== null && isLate(claim, found)) throw takenOver(key);
        const before = forRequest(found ?? (await begun(store, claim)), generation);
        if (before.startsSinceCheckpoint >= MAX_STARTS || before.failuresSinceCheckpoint >= MAX_FAILURES)
          throw noProgress(before, commands);
        const state = {
          ...before,
          attempt,
          turn,
          starts: before.starts + 1,
          startsSinceCheckpoint: before.startsSinceCheckpoint + 1,
        };
        return { body: JSON.stringify(state, null, 1), result: state };
      },
    });
    return new CheckpointChain(store, key, commands, state, etag);
  }

  /** Newest first. */
  get checkpoints(): readonly StoredCheckpoint[] {
    return this.state.checkpoints;
  }

  /** Number of restarts of the trainer for this run. */
  get resumes(): number {
    return this.state.starts - 1;
  }

  /** Checkpoints that could no longer be used, over all attempts. */
  get lost(): readonly LostCheckpoint[] {
    return this.state.lost;
  }

  /** True if the previous attempt ended before it saved: this one should save more often. */
  get isStruggling(): boolean {
    return this.state.lastFailure !== null || this.state.startsSinceCheckpoint > 2;
  }

  /** Whether runs continue from this object, whoever has the lease now. */
  async names(object: string): Promise<boolean> {
    const found = await readChain(this.store, this.key, this.commands);
    return found?.state.checkpoints.some(({ key }) => key === object) ?? false;
  }

  /** Make an uploaded checkpoint the newest; returns the keys of objects that are no longer needed. */
  async advance(checkpoint: StoredCheckpoint): Promise<string[]> {
    const all = [checkpoint, ...this.state.checkpoints.filter((entry) => entry.key !== checkpoint.key)];
    const kept = all.slice(0, KEPT_CHECKPOINTS);
    await this.write({
      ...this.state,
      checkpoints: kept,
      startsSinceCheckpoint: 1,
      failuresSinceCheckpoint: 0,
      lastFailure: null,
    });
    const aside = this.aside.map(({ key }) => key);
    this.aside = [];
    const own = all.slice(KEPT_CHECKPOINTS).filter(({ borrowed }) => borrowed !== true);
    return [...aside, ...own.flatMap((entry) => [entry.key, entry.log])];
  }

  /** Continue without damaged or missing checkpoints. */
  async setAside(lost: readonly LostCheckpoint[]): Promise<void> {
    if (lost.length === 0) return;
    const keys = new Set(lost.map(({ key }) => key));
    const borrowed = new Set(this.state.checkpoints.flatMap((entry) => (entry.borrowed === true ? entry.key : [])));
    await this.write({
      ...this.state,
      checkpoints: this.state.checkpoints.filter(({ key }) => !keys.has(key)),
      lost: [...this.state.lost, ...lost],
    });
    this.aside.push(...lost.filter(({ key }) => !borrowed.has(key)));
  }

  /** Throw `fenced` unless this attempt still has the lease; for use before outputs are published. */
  async confirm(): Promise<void> {
    await this.write(this.state);
  }

  /** This attempt was stopped from outside, which tells nothing about whether training can continue. */
  async release(): Promise<void> {
    await this.write({ ...this.state, startsSinceCheckpoint: Math.max(0, this.state.startsSinceCheckpoint - 1) });
  }

  /**
   * The trainer itself failed. The second failure without a new checkpoint is the last until a person asks again.
   *
   * @returns the error to throw
   */
  async recordFailure(failure: PartloopError): Promise<PartloopError> {
    await this.write({
      ...this.state,
      failuresSinceCheckpoint: this.state.failuresSinceCheckpoint + 1,
      lastFailure: failure.message.slice(0, 1_000),
    });
    return this.state.failuresSinceCheckpoint < MAX_FAILURES ? failure : noProgress(this.state, this.commands, failure);
  }

  private async write(state: Chain): Promise<void> {
    const written = await this.store.replace(this.key, JSON.stringify(state, null, 1), this.etag);
    if (written !== 'conflict') {
      this.state = state;
      this.etag = written.etag;
      return;
    }
    const found = await readChain(this.store, this.key, this.commands);
    if (found === null || found.state.attempt !== this.state.attempt) throw takenOver(this.key);
    throw new PartloopError('store-conflict', `${this.key} was changed by someone else under the same attempt`);
  }
}

const takenOver = (key: string): PartloopError =>
  new PartloopError('fenced', `another attempt took over ${key}`, {
    hint: 'Nothing to do: the newer attempt goes on from the last checkpoint.',
  });

/**
 * The state before the first attempt: with the checkpoints of the run that a replay asks for again, if there are any.
 */
async function begun(store: ObjectStore, { attempt, generation, turn, commands, from }: Claim): Promise<Chain> {
  const other = from == null ? null : await readChain(store, from, commands);
  return {
    version: 1,
    attempt,
    turn,
    checkpoints: other?.state.checkpoints.map((entry) => ({ ...entry, borrowed: true })) ?? [],
    starts: 0,
    startsSinceCheckpoint: 0,
    failuresSinceCheckpoint: 0,
    lastFailure: other?.state.lastFailure ?? null,
    generation,
    lost: [],
  };
}

/** Counters guard the retries of only one request; the last failure's reason is kept. */
const forRequest = (state: Chain, generation: string): Chain =>
  state.generation === generation
    ? state
    : { ...state, generation, startsSinceCheckpoint: 0, failuresSinceCheckpoint: 0 };

function noProgress(chain: Chain, { retry }: Commands, failure?: PartloopError): PartloopError {
  const newest = chain.checkpoints[0]?.iteration ?? 0;
  const last = failure?.message ?? chain.lastFailure;
  const how =
    chain.failuresSinceCheckpoint >= MAX_FAILURES
      ? `the trainer failed ${chain.failuresSinceCheckpoint} times`
      : `training was started ${chain.startsSinceCheckpoint} times`;
  const cure = failure?.hint ?? 'The log of the train worker says what ended it: repair that.';
  return new PartloopError(
    'no-progress',
    `${how} without a new checkpoint after iteration ${newest}${last === null ? '' : `; last failure: ${last}`}`,
    {
      hint: `${cure.replace(/\.?$/, '.')} Then ${retry}: it goes on from iteration ${newest}.`,
      ...(failure === undefined ? {} : { cause: failure }),
    },
  );
}
