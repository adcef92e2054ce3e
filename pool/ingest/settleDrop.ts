import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { nearDuplicateGroups } from '../../domain/draw/nearDuplicates.js';
import { arrived, type DropState, sameBefore, settled, waitsUntil } from '../../domain/ingest/dropState.js';
import { REMOVALS_FILE } from '../../domain/ingest/layout.js';
import { type Receipt, receiptSchema } from '../../domain/ingest/receipt.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool, type Pool } from '../../storage/pool/pool.js';
import { makeScratchFolder } from '../../storage/scratch.js';
import { parseJson } from '../../storage/tables/json.js';
import { ulid } from '../../storage/ulid.js';
import type { ImportDecoder } from '../import/decoder.js';
import { groupRefusals } from '../import/refusals.js';
import { clearDrop, pinFiles, unpinFiles } from './clearDrop.js';
import { type DropFiles, dropFiles } from './dropFiles.js';
import { changeDropState, readDropState } from './dropStates.js';
import { type DropListing, digestOfDrop, isPlaceholder, listDrop, readMarker } from './listing.js';
import { keepRejected, rejectDrop } from './rejected.js';
import { applyRemovals, removalName } from './removals.js';
import { readIngestRules } from './rules.js';
import { type TakenDrop, type TakingContext, takeDrop } from './takeDrop.js';

/** A drop that still grows after so many readings is looked at again later. */
const MAX_READINGS = 5;
const GROWING_MS = 60_000;
const MISSING_NAMED = 20;
/** Kinds of reasons in a receipt; each refused file has its own beside it. */
const REASONS_KEPT = 100;

export interface SettleOptions {
  pool: string;
  drop: string;
  decoder: ImportDecoder;
  signal?: AbortSignal | undefined;
  /** Files that the store does not give now are refused, and the others are taken: earlier tries ended over them. */
  givesUp?: boolean;
  onProgress(done: number): void;
}

export type DropOutcome =
  /** Its marker is not there (any more). */
  | { kind: 'incomplete' }
  /** It names files that are not there, or grows while it is read; worth a look from then on, ISO time. */
  | { kind: 'waiting'; until: string; missing: number; added: number }
  | { kind: 'settled'; receipt: Receipt };

/**
 * Take a drop into its pool, write its receipt, and clear it away. Every part may be done again: what an earlier try
 * brought in counts once, and nothing of a drop is deleted before its receipt is written.
 *
 * @throws PartloopError `not-found` where there is no such pool, `config-invalid` for rules that are none; faults of
 * the store
 */
export async function settleDrop(store: ObjectStore, options: SettleOptions): Promise<DropOutcome> {
  const { pool: name, drop, decoder, signal, givesUp = false, onProgress } = options;
  const pool = await openPool(store, name);
  const rules = await readIngestRules(store, pool);
  await endClearing(store, name, drop);
  let listing = await listDrop(store, name, drop);
  if (listing === null) return { kind: 'incomplete' };
  const state = await openState(store, name, drop);
  const arrival = new Arrival(store, pool, state, givesUp);

  for (let reading = 0; reading < MAX_READINGS; reading++) {
    const digest = digestOfDrop(listing, rules);
    if (listing.problem !== null) return arrival.refused(listing, digest, listing.problem);
    const sameAs = sameBefore(state, digest);
    if (sameAs !== null) return arrival.repeated(listing, digest, sameAs);
    const until = waitsUntil(state, rules.waitHours);
    const mayWait = Date.now() < until;
    const waiting = (missing: number, added = 0): DropOutcome => ({
      kind: 'waiting',
      until: new Date(until).toISOString(),
      missing,
      added,
    });
    if (mayWait && state.incomplete?.digest === digest) return waiting(state.incomplete.missing);
    const lacking = await filesLacking(store, name, drop, listing);
    if (mayWait && lacking > 0) {
      await arrival.wait(digest, lacking, []);
      return waiting(lacking);
    }
    const context: TakingContext = { store, pool, rules, decoder, signal, givesUp, onProgress };
    const taken = await takeDrop(context, state, listing, digest);
    const again = await listDrop(store, name, drop);
    if (again === null) return { kind: 'incomplete' };
    if (digestOfDrop(again, rules) !== digest) {
      listing = again;
      continue;
    }
    if ('refused' in taken) return arrival.refused(listing, digest, taken.refused);
    if (mayWait && taken.missing.length > 0) {
      await arrival.wait(digest, taken.missing.length, taken.missing.slice(0, MISSING_NAMED));
      return waiting(taken.missing.length, taken.report.added);
    }
    return arrival.taken(listing, digest, taken, { rules, signal });
  }
  return { kind: 'waiting', until: new Date(Date.now() + GROWING_MS).toISOString(), missing: 0, added: 0 };
}

/** A receipt was written, and then the process ended: what is pinned goes first. */
async function endClearing(store: ObjectStore, pool: string, drop: string): Promise<void> {
  const state = await readDropState(store, pool, drop);
  if (state?.phase === 'clearing') await clear(store, pool, state);
}

async function openState(store: ObjectStore, pool: string, drop: string): Promise<DropState> {
  const now = new Date();
  const state = await changeDropState(store, pool, drop, (before) =>
    before === null || before.phase === 'done' ? arrived(before, drop, ulid(now), now) : null,
  );
  if (state !== null) return state;
  throw new PartloopError('internal', `the state of drop ${drop} of pool ${pool} vanished`);
}

async function clear(store: ObjectStore, pool: string, { drop, arrival }: DropState): Promise<void> {
  await clearDrop(store, { pool, drop, arrival });
  await changeDropState(store, pool, drop, (before) =>
    before?.arrival === arrival && before.phase === 'clearing' ? { ...before, phase: 'done' } : null,
  );
  await unpinFiles(store, pool, arrival);
}

/** Files that the marker counts and that are not there. */
async function filesLacking(store: ObjectStore, pool: string, drop: string, listing: DropListing): Promise<number> {
  const marker = await readMarker(store, pool, drop, listing).catch((error: unknown) => {
    // What is wrong with a marker is said where the drop is refused for it.
    if (error instanceof PartloopError && error.code !== 'store-unavailable') return {};
    throw error;
  });
  const there = listing.files.filter((file) => !isPlaceholder(file)).length;
  return 'files' in marker && marker.files !== undefined ? Math.max(0, marker.files - there) : 0;
}

const NOTHING_TAKEN = {
  ...{ format: null, entries: 0, added: 0, replaced: 0, updated: 0, restored: 0, known: 0 },
  ...{ removedEarlier: 0, refused: 0, strays: 0, nearDuplicates: 0 },
  split: { train: 0, val: 0, test: 0, drawn: 0 },
  ...{ reasons: [], notices: [], removals: null, rejected: null, reason: null, sameAs: null },
} satisfies Partial<Receipt>;

type Outcome = Pick<Receipt, 'outcome'> & Partial<Receipt>;

/** One arrival of a drop, from its first look to its receipt. */
class Arrival {
  constructor(
    private readonly store: ObjectStore,
    private readonly pool: Pool,
    private readonly state: DropState,
    private readonly givesUp: boolean,
  ) {}

  private files(listing: DropListing): DropFiles {
    const { givesUp, state, pool } = this;
    return dropFiles(this.store, { pool: pool.name, drop: state.drop, listing, givesUp });
  }

  async wait(digest: string, missing: number, examples: string[]): Promise<void> {
    const { drop, arrival } = this.state;
    await changeDropState(this.store, this.pool.name, drop, (before) =>
      before?.arrival === arrival && before.phase === 'open'
        ? { ...before, incomplete: { digest, missing, examples } }
        : null,
    );
  }

  async repeated(listing: DropListing, digest: string, sameAs: string): Promise<DropOutcome> {
    await pinFiles(this.store, this.pool.name, this.state.arrival, listing);
    return this.end(listing, digest, { outcome: 'repeated', sameAs });
  }

  /** Only its marker goes: whoever sends it mends the fault, and writes the marker again. */
  async refused(listing: DropListing, digest: string, reason: string): Promise<DropOutcome> {
    const { drop, arrival } = this.state;
    const rejected = await rejectDrop(this.store, { pool: this.pool.name, drop, arrival, reason, now: new Date() });
    await pinFiles(this.store, this.pool.name, arrival, { files: [], marker: listing.marker });
    return this.end(listing, digest, { outcome: 'refused', reason, rejected });
  }

  async taken(
    listing: DropListing,
    digest: string,
    { layout, report, entries, added: ours, used, strays, missing }: TakenDrop,
    { rules, signal }: { rules: IngestRules; signal: AbortSignal | undefined },
  ): Promise<DropOutcome> {
    const { store, pool, state } = this;
    const { drop, arrival } = state;
    const { refused } = report;
    const now = new Date();
    const { folder: rejected, unreadable } = await keepRejected(store, {
      ...{ pool: pool.name, drop, arrival, refused, strays, used, files: this.files(listing), now, signal },
    });
    await this.keepDocuments(listing, layout.documents);
    const removals = layout.removals === null ? null : await this.removals(listing, rules, now);
    // What could not be read is nowhere else.
    const cleared = { ...listing, files: listing.files.filter(({ path }) => !unreadable.has(path)) };
    await pinFiles(store, pool.name, arrival, cleared);
    const { added, replaced, updated, restored, known, removed, split, notices } = report;
    const lacks = { notice: 'files that the labels name and the drop lacks', count: missing.length };
    return this.end(listing, digest, {
      ...{
        outcome: 'taken',
        format: layout.labels?.format ?? null,
        entries,
        added,
        replaced,
        updated,
        restored,
        known,
      },
      ...{ removedEarlier: removed.length, refused: refused.length, strays: strays.length, split, removals, rejected },
      nearDuplicates: await this.nearDuplicates(ours),
      reasons: groupRefusals([...report.kept, ...refused]).slice(0, REASONS_KEPT),
      notices: missing.length === 0 ? notices : [...notices, { ...lacks, examples: missing.slice(0, MISSING_NAMED) }],
    });
  }

  private async keepDocuments(listing: DropListing, documents: readonly string[]): Promise<void> {
    const { arrival } = this.state;
    const files = this.files(listing);
    const scratch = await makeScratchFolder('drop');
    try {
      for (const [at, path] of documents.entries()) {
        const copy = join(scratch.path, String(at));
        await files.copy(path, copy);
        await this.store.putFile(keys.received(this.pool.name, arrival, path), copy);
      }
    } finally {
      await scratch.remove();
    }
  }

  private async removals(listing: DropListing, rules: IngestRules, now: Date): Promise<Receipt['removals']> {
    const { arrival } = this.state;
    return applyRemovals(this.pool, await this.files(listing).document(REMOVALS_FILE), {
      ...{ largestShare: rules.largestRemoval, testImages: rules.testImages, removal: removalName(arrival), now },
      listed: `${this.store.uri}/${keys.received(this.pool.name, arrival, REMOVALS_FILE)}`,
    });
  }

  /** How many of the images are near duplicates of others in the pool. */
  private async nearDuplicates(imageIds: readonly string[]): Promise<number> {
    if (imageIds.length === 0) return 0;
    const { pool } = this;
    const index = await pool.readDrawColumns(await pool.latestVersion());
    const groups = nearDuplicateGroups(index);
    const sizes = new Int32Array(groups.length);
    for (const group of groups) sizes[group] = (sizes[group] ?? 0) + 1;
    const sizeOf = (imageId: string): number => sizes[groups[index.ids.find(imageId)] ?? -1] ?? 1;
    return imageIds.filter((imageId) => sizeOf(imageId) > 1).length;
  }

  /** Write the receipt, then let the drop go. The first of two tries that get here has the say. */
  private async end(listing: DropListing, digest: string, outcome: Outcome): Promise<DropOutcome> {
    const { store, pool, state } = this;
    const { drop, arrival, since } = state;
    const files = listing.files.filter((file) => !isPlaceholder(file));
    const receipt: Receipt = {
      ...{
        version: 1,
        pool: pool.name,
        drop,
        arrival,
        digest,
        firstSeenAt: since,
        settledAt: new Date().toISOString(),
      },
      ...{ files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) },
      poolVersion: await pool.latestVersion(),
      ...NOTHING_TAKEN,
      ...outcome,
    };
    const key = keys.receipt(pool.name, arrival);
    const written = await store.putIfAbsent(key, JSON.stringify(receipt, null, 1), 'application/json');
    const kept = written === 'created' ? receipt : parseJson((await store.get(key)).body, key, receiptSchema);
    await changeDropState(store, pool.name, drop, (before) =>
      before?.arrival === arrival && before.phase === 'open'
        ? settled(before, digest, kept.outcome !== 'refused')
        : null,
    );
    await clear(store, pool.name, state);
    return { kind: 'settled', receipt: kept };
  }
}
