import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Logger } from 'pino';
import { PartloopError } from '../../domain/base/errors.js';
import { measure } from '../../steps/measure.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { RecipePin } from '../settings/recipe.js';
import type { StoredCheckpoint } from './chainState.js';
import type { CheckpointChain } from './checkpointChain.js';

/** A whole checkpoint on this disk: `<iteration>.pt`, with its sidecar and progress log beside it. */
export interface LocalCheckpoint {
  iteration: number;
  path: string;
  sha256: string;
}

export const sidecarOf = (path: string): string => path.replace(/\.pt$/, '.json');
export const logOf = (path: string): string => path.replace(/\.pt$/, '.log.jsonl');

/**
 * Uploads checkpoints during the training, one at a time; of the waiting ones only the newest is uploaded. An
 * unreachable store costs this upload, not the training; `onFenced` reports a lost lease.
 */
export class CheckpointUploader {
  /** Iteration of the newest checkpoint that this attempt uploaded. */
  newestIteration: number | null = null;
  private waiting: LocalCheckpoint | null = null;
  private running: Promise<void> | null = null;

  constructor(
    private readonly store: ObjectStore,
    private readonly chain: CheckpointChain,
    /** Called before a checkpoint counts; pins the run to its recipe. */
    private readonly pin: Pick<RecipePin, 'keep'>,
    private readonly keyOf: (file: string) => string,
    private readonly log: Logger,
    private readonly onFenced: (error: PartloopError) => void,
  ) {}

  offer(checkpoint: LocalCheckpoint): void {
    this.waiting = checkpoint;
    this.running ??= this.work().finally(() => {
      this.running = null;
    });
  }

  /** Wait until no upload is running. */
  async drain(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  private async work(): Promise<void> {
    for (let next = this.take(); next !== null; next = this.take()) {
      try {
        await this.upload(next);
      } catch (error) {
        if (error instanceof PartloopError && error.code === 'fenced') {
          this.waiting = null;
          this.onFenced(error);
          return;
        }
        this.log.warn({ iteration: next.iteration, err: error }, 'a checkpoint was not uploaded; the next one will be');
      }
    }
  }

  private take(): LocalCheckpoint | null {
    const next = this.waiting;
    this.waiting = null;
    return next;
  }

  private async upload(local: LocalCheckpoint): Promise<void> {
    // A disconnected attempt learns here that its lease is lost, before it sends gigabytes.
    await this.chain.confirm();
    const sidecar = await readFile(sidecarOf(local.path), 'utf8');
    const key = this.keyOf(`checkpoints/${basename(local.path)}`);
    const log = this.keyOf(`checkpoints/${basename(logOf(local.path))}`);
    await this.store.put(log, await readFile(logOf(local.path)), 'application/x-ndjson');
    await this.store.putFile(key, local.path, 'application/octet-stream');
    const checkpoint = { iteration: local.iteration, key, sha256: local.sha256, sidecar, log };
    const dropped = await this.publish(checkpoint);
    this.newestIteration = local.iteration;
    measure('partloop_checkpoint_timestamp_seconds', Date.now() / 1_000);
    // What is not deleted now only takes room.
    if (dropped.length > 0)
      await this.store.delete(dropped).catch((error: unknown) => this.log.warn({ err: error }, 'old checkpoints stay'));
  }

  /**
   * Make an uploaded checkpoint the newest, or withdraw it if another attempt has the lease; returns keys that are no
   * longer needed.
   */
  private async publish(checkpoint: StoredCheckpoint): Promise<string[]> {
    try {
      await this.pin.keep();
      return await this.chain.advance(checkpoint);
    } catch (error) {
      if (error instanceof PartloopError && error.code === 'fenced') await this.takeBack(checkpoint);
      throw error;
    }
  }

  /** An advance with a lost answer may have been seen: a checkpoint from which the new holder continues stays. */
  private async takeBack({ key, log }: StoredCheckpoint): Promise<void> {
    try {
      if (!(await this.chain.names(key))) await this.store.delete([key, log]);
    } catch (error) {
      this.log.warn({ err: error }, 'a checkpoint that nobody goes on from stays');
    }
  }
}
