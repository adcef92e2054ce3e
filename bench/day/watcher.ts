import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { say } from '../../cli/terminal/output.js';
import { loopWorkflowId } from '../../domain/base/ids.js';
import type { LoopStatus } from '../../domain/messages.js';
import { outputOf } from '../../domain/stepContract.js';
import { chunkRowSchema, type IndexRow } from '../../domain/tables.js';
import { UPDATES } from '../../domain/workflowNames.js';
import { loopStatus } from '../../steering/loopClient.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readTable } from '../../storage/tables/table.js';

const LOOK_MS = 1_000;
/** Longer than any iteration of a day takes. */
const STANDSTILL_MS = 10 * 60_000;

/** A failure that a person met, and what he did. */
export interface Repair {
  iteration: number;
  error: string;
  /** The update that was sent, as the Temporal UI sends it. */
  update: { name: string; input: string };
}

/** A person who watches a loop, breaks what one iteration needs, and repairs it. */
export class Watcher {
  #broken: Map<string, Uint8Array> | null = null;
  #repairs: Repair[] = [];

  constructor(
    private readonly store: ObjectStore,
    private readonly client: Client,
    private readonly pool: string,
    private readonly loop: string,
    private readonly signal: AbortSignal,
  ) {}

  get repairs(): readonly Repair[] {
    return this.#repairs;
  }

  /**
   * Wait until the loop is as asked; a failure that this person caused is repaired meanwhile.
   *
   * @throws Error if it stands still, or fails for another reason
   */
  async until(isReached: (status: LoopStatus) => boolean): Promise<LoopStatus> {
    let seen = '';
    for (let since = Date.now(); ; await sleep(LOOK_MS, undefined, { signal: this.signal })) {
      const status = await loopStatus(this.client, this.loop);
      if (status.phase === 'failed') await this.#repair(status);
      else if (isReached(status)) return status;
      const now = JSON.stringify([status.phase, status.iteration, status.nextIteration, status.newImages]);
      if (now !== seen) [seen, since] = [now, Date.now()];
      if (Date.now() - since > STANDSTILL_MS) throw new Error(`loop ${this.loop} stands still: ${now}`);
    }
  }

  /** Take away the labels of all images that the loop has not drawn: its next iteration cannot succeed. */
  async breakNext(): Promise<void> {
    const kept = new Map<string, Uint8Array>();
    for (const { labelUri } of await this.#undrawn()) kept.set(labelUri, (await this.store.get(labelUri)).body);
    await this.store.delete([...kept.keys()]);
    this.#broken = kept;
    say(`broken on purpose: ${kept.size} labels are gone`);
  }

  async #undrawn(): Promise<IndexRow[]> {
    const { iterations } = await readLoopState(this.store, this.loop);
    const drawn = new Set<string>();
    for (const { current } of iterations) {
      const { draw } = current.results;
      if (draw === undefined) continue;
      for (const { imageId } of await readTable(this.store, outputOf(draw, 'chunk'), chunkRowSchema))
        drawn.add(imageId);
    }
    const rows = [...(await (await openPool(this.store, this.pool)).history()).present()];
    return rows.filter(({ split, imageId }) => split === 'train' && !drawn.has(imageId));
  }

  async #repair({ error, nextIteration }: LoopStatus): Promise<void> {
    if (this.#broken === null)
      throw new Error(`iteration ${nextIteration} failed, and nobody broke anything: ${error}`);
    for (const [key, body] of this.#broken) await this.store.put(key, body, 'image/png');
    this.#broken = null;
    const update = { name: UPDATES.retryIteration, input: '{}' };
    // As the Temporal UI does: an update by its name, with the JSON that a person wrote.
    const input: unknown = JSON.parse(update.input);
    await this.client.workflow
      .getHandle(loopWorkflowId(this.loop))
      .executeUpdate<unknown, [unknown]>(update.name, { args: [input] });
    this.#repairs.push({ iteration: nextIteration, error: error ?? '', update });
    say(`iteration ${nextIteration} failed: ${error}`, `repaired, and \`${update.name}\` sent with ${update.input}`);
  }
}
