import { z } from 'zod';
import { PartloopError } from '../../domain/errors.js';
import { sha256Schema } from '../../domain/ids.js';
import { KEPT_CHECKPOINTS } from '../../domain/trainerJob.js';
import type { ObjectStore } from '../../storage/objectStore.js';

/** Starts without a new checkpoint after which retrying is pointless; a machine may well die twice before the first. */
const MAX_STARTS = 5;
/** Failures of the trainer itself without a new checkpoint in between. */
const MAX_FAILURES = 2;
const MAX_RACES = 20;

const storedCheckpointSchema = z.object({
  iteration: z.number().int().nonnegative(),
  key: z.string(),
  sha256: sha256Schema,
  /** The trainer's own sidecar, as text: without it the file does not count as whole. */
  sidecar: z.string(),
  /** Key of the progress log up to here. */
  log: z.string(),
});
export type StoredCheckpoint = z.infer<typeof storedCheckpointSchema>;

const chainSchema = z.object({
  version: z.literal(1),
  /** Token of the attempt that holds the lease: the only one that may publish. */
  attempt: z.string(),
  /** Newest first, at most three. */
  checkpoints: z.array(storedCheckpointSchema),
  /** Starts of the trainer, in all and since the newest checkpoint. */
  starts: z.number().int().nonnegative(),
  startsSinceCheckpoint: z.number().int().nonnegative(),
  failuresSinceCheckpoint: z.number().int().nonnegative(),
  lastFailure: z.string().nullable(),
});
type Chain = z.infer<typeof chainSchema>;

/**
 * The trainer's lease and the pointer to its newest checkpoint: `latest.json`, a chain of If-Match writes. A new
 * attempt takes the lease over; the old one learns of it with its next write, and publishes nothing from then on.
 */
export class CheckpointChain {
  private constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
    private state: Chain,
    private etag: string,
  ) {}

  /** Take the lease. Throws `no-progress` where earlier attempts came no further. */
  static async claim(store: ObjectStore, key: string, attempt: string): Promise<CheckpointChain> {
    for (let race = 0; race < MAX_RACES; race++) {
      const found = await read(store, key);
      const before: Chain = found?.state ?? {
        version: 1,
        attempt,
        checkpoints: [],
        starts: 0,
        startsSinceCheckpoint: 0,
        failuresSinceCheckpoint: 0,
        lastFailure: null,
      };
      if (before.startsSinceCheckpoint >= MAX_STARTS || before.failuresSinceCheckpoint >= MAX_FAILURES)
        throw noProgress(key, before);
      const state = {
        ...before,
        attempt,
        starts: before.starts + 1,
        startsSinceCheckpoint: before.startsSinceCheckpoint + 1,
      };
      const written = await store.replace(key, JSON.stringify(state, null, 1), found?.etag ?? null);
      if (written !== 'conflict') return new CheckpointChain(store, key, state, written.etag);
    }
    throw new PartloopError('store-conflict', `${key} changed under ${MAX_RACES} attempts to take the trainer's lease`);
  }

  get newest(): StoredCheckpoint | null {
    return this.state.checkpoints[0] ?? null;
  }

  /** How often the trainer was started again for this run. */
  get resumes(): number {
    return this.state.starts - 1;
  }

  /** Make an uploaded checkpoint the newest; returns the keys of those that fell out of the last three. */
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
    return all.slice(KEPT_CHECKPOINTS).flatMap((entry) => [entry.key, entry.log]);
  }

  /** Throw `fenced` unless this attempt still holds the lease: before outputs are published. */
  async confirm(): Promise<void> {
    await this.write(this.state);
  }

  /** This attempt was stopped from outside: it says nothing about whether training can go on. */
  async release(): Promise<void> {
    await this.write({ ...this.state, startsSinceCheckpoint: Math.max(0, this.state.startsSinceCheckpoint - 1) });
  }

  /** The trainer itself failed: the second time without a new checkpoint is the last. */
  async recordFailure(message: string): Promise<void> {
    await this.write({
      ...this.state,
      failuresSinceCheckpoint: this.state.failuresSinceCheckpoint + 1,
      lastFailure: message.slice(0, 1_000),
    });
  }

  private async write(state: Chain): Promise<void> {
    const written = await this.store.replace(this.key, JSON.stringify(state, null, 1), this.etag);
    if (written !== 'conflict') {
      this.state = state;
      this.etag = written.etag;
      return;
    }
    const found = await read(this.store, this.key);
    if (found === null || found.state.attempt !== this.state.attempt) {
      throw new PartloopError('fenced', `another attempt took over ${this.key}`, {
        hint: 'Nothing to do: the newer attempt goes on from the last checkpoint.',
      });
    }
    throw new PartloopError('store-conflict', `${this.key} was changed by someone else under the same attempt`);
  }
}

/** Delete a run's checkpoints and its pointer, once nothing will go on from them. */
export async function dropCheckpoints(store: ObjectStore, key: string): Promise<void> {
  const found = await read(store, key);
  if (found === null) return;
  await store.delete([...found.state.checkpoints.flatMap((entry) => [entry.key, entry.log]), key]);
}

async function read(store: ObjectStore, key: string): Promise<{ state: Chain; etag: string } | null> {
  const object = await store.tryGet(key);
  if (object === null) return null;
  const parsed = chainSchema.safeParse(JSON.parse(new TextDecoder().decode(object.body)));
  if (parsed.success) return { state: parsed.data, etag: object.etag };
  throw new PartloopError('data-invalid', `${key} is no checkpoint chain: ${z.prettifyError(parsed.error)}`, {
    hint: 'Do the step again, under a fresh key: `partloop iteration replay LOOP N --from STEP`; a scan by itself: run it again.',
  });
}

function noProgress(key: string, chain: Chain): PartloopError {
  const last = chain.lastFailure === null ? '' : `; the last failure was: ${chain.lastFailure}`;
  return new PartloopError(
    'no-progress',
    `training was started ${chain.startsSinceCheckpoint} times without a new checkpoint (${key})${last}`,
    {
      hint: 'Mend what ends the trainer (its stderr is in the log), lower `train.checkpointEvery`, then do the step again: `partloop iteration replay LOOP N --from STEP`, or run the scan again.',
    },
  );
}
