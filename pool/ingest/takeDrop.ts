import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES } from '../../domain/base/failures/failure.js';
import type { DropState } from '../../domain/ingest/dropState.js';
import { type DropLayout, layoutOf } from '../../domain/ingest/layout.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import type { ImportEntry, ImportReport } from '../../formats/importItem.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool.js';
import { readJson, writeJson } from '../../storage/tables/json.js';
import { ulid } from '../../storage/ulid.js';
import type { ImportDecoder } from '../import/decoder.js';
import { importImages } from '../import/importImages.js';
import { type Settled, settledSchema } from '../import/settled.js';
import { dropEntries } from './dropEntries.js';
import { dropFiles } from './dropFiles.js';
import { leakGuard } from './leakGuard.js';
import { type DropListing, readMarker } from './listing.js';

/** What reading a drop needs beside the drop. */
export interface TakingContext {
  store: ObjectStore;
  pool: Pool;
  rules: IngestRules;
  decoder: ImportDecoder;
  signal: AbortSignal | undefined;
  onProgress(done: number): void;
}

/** A drop that was read: its good images are in the pool. */
export interface TakenDrop {
  layout: DropLayout;
  report: ImportReport;
  /** Entries of the labels. */
  entries: number;
  /** Files named by an entry that was not refused. */
  used: ReadonlySet<string>;
  /** Files that no label names. */
  strays: string[];
  /** Names of files that the labels have and the drop lacks. */
  missing: string[];
}

const batchSchema = z.object({ settled: z.array(settledSchema) });

/**
 * Bring the images of a drop into its pool. What is settled is noted under the arrival with each segment, so that a
 * second try goes on behind it and both tries together count as one.
 *
 * @returns the reason, as a sentence, if nothing of the drop can be taken
 */
export async function takeDrop(
  { store, pool, rules, decoder, signal, onProgress }: TakingContext,
  state: DropState,
  listing: DropListing,
  digest: string,
): Promise<TakenDrop | { refused: string }> {
  const { drop, arrival } = state;
  const work = `${keys.ingestWork(pool.name, arrival)}${digest}/`;
  try {
    const marker = await readMarker(store, pool.name, drop, listing);
    const paths = new Set(listing.files.map(({ path }) => path));
    const layout = layoutOf(paths, marker);
    if (typeof layout === 'string') return { refused: layout };
    const named = new NamedFiles();
    const entries = named.watch(dropEntries(dropFiles(store, pool.name, drop, listing), layout, pool.taxonomy, rules));
    const report = await importImages(store, pool.name, pool.taxonomy, entries, {
      ...{ decoder, signal, onProgress, now: new Date(), relabel: rules.relabel, importId: arrival },
      ...(rules.leaks === 'reject' ? { guard: leakGuard } : {}),
      settled: await readSettled(store, work),
      onSettled: (settled) => writeJson(store, `${work}${ulid(new Date())}.json`, { settled }),
    });
    const refusedFiles = new Set(report.refused.flatMap(({ origin }) => origin?.files ?? []));
    const documents = new Set(layout.documents);
    return {
      ...{ layout, report, entries: named.entries, missing: [...named.missing] },
      used: new Set([...named.files].filter((path) => !refusedFiles.has(path))),
      strays: [...paths].filter((path) => !path.endsWith('/') && !named.files.has(path) && !documents.has(path)),
    };
  } catch (error) {
    if (!(error instanceof PartloopError) || FAILURES[error.code].actor !== 'user') throw error;
    return { refused: error.message };
  }
}

async function readSettled(store: ObjectStore, work: string): Promise<Settled[]> {
  const batches: string[] = [];
  for await (const { key } of store.list(work)) batches.push(key);
  const settled: Settled[] = [];
  for (const key of batches.sort()) settled.push(...(await readJson(store, key, batchSchema)).settled);
  return settled;
}

/** Which files entries name, seen as they pass. */
class NamedFiles {
  readonly files = new Set<string>();
  readonly missing = new Set<string>();
  entries = 0;

  async *watch(entries: AsyncIterable<ImportEntry>): AsyncGenerator<ImportEntry> {
    for await (const entry of entries) {
      if (!('notice' in entry)) {
        this.entries += 1;
        for (const path of entry.origin?.files ?? []) this.files.add(path);
        for (const name of entry.origin?.missing ?? []) this.missing.add(name);
      }
      yield entry;
    }
  }
}
