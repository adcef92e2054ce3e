import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES } from '../../domain/base/failures/failure.js';
import { MAX_DROP_FILES } from '../../domain/ingest/drop.js';
import type { DropState } from '../../domain/ingest/dropState.js';
import { type DropLayout, layoutOf } from '../../domain/ingest/layout.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import { MAX_COCO_BYTES } from '../../formats/coco/import.js';
import type { ImportEntry, ImportReport } from '../../formats/reading/importItem.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { makeScratchFolder } from '../../storage/scratch.js';
import { readJson, writeJson } from '../../storage/tables/json.js';
import { ulid } from '../../storage/ulid.js';
import { Thumbnails } from '../copies/thumbnails.js';
import type { ImportDecoder } from '../import/decoder.js';
import { importImages } from '../import/importImages.js';
import { type Settled, settledSchema } from '../import/settled.js';
import { dropEntries } from './dropEntries.js';
import { dropFiles, MAX_DOCUMENT_BYTES } from './dropFiles.js';
import { dropGuard } from './dropGuard.js';
import { type DropListing, readMarker } from './listing.js';

/** What reading a drop needs beside the drop. */
export interface TakingContext {
  store: ObjectStore;
  pool: Pool;
  rules: IngestRules;
  decoder: ImportDecoder;
  signal: AbortSignal | undefined;
  /** Files that the store does not give now are refused: earlier tries ended over them. */
  givesUp: boolean;
  onProgress(done: number): void;
}

/** A drop that was read: its good images are in the pool. */
export interface TakenDrop {
  layout: DropLayout;
  report: ImportReport;
  /** Entries of the labels. */
  entries: number;
  /** Ids of the images that came into the pool with this arrival. */
  added: string[];
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
  { store, pool, rules, decoder, signal, givesUp, onProgress }: TakingContext,
  state: DropState,
  listing: DropListing,
  digest: string,
): Promise<TakenDrop | { refused: string }> {
  const { drop, arrival } = state;
  const work = `${keys.ingestWork(pool.name, arrival)}${digest}/`;
  const scratch = await makeScratchFolder('drop');
  try {
    const marker = await faultOfDrop(() => readMarker(store, pool.name, drop, listing));
    const paths = new Set(listing.files.map(({ path }) => path));
    const layout = layoutOf(paths, marker);
    if (typeof layout === 'string') return { refused: layout };
    const large = tooLarge(layout, listing);
    if (large !== null) return { refused: large };
    const named = new NamedFiles();
    const files = dropFiles(store, { pool: pool.name, drop, listing, givesUp });
    const entries = named.watch(dropEntries({ files, scratch: scratch.path, signal }, layout, pool.taxonomy, rules));
    const earlier = await readSettled(store, work);
    const added = addedIds(earlier);
    const report = await importImages(store, pool.name, pool.taxonomy, entries, {
      ...{ decoder, signal, onProgress, now: new Date(), relabel: rules.relabel, importId: arrival },
      guard: dropGuard(rules, new Thumbnails(store, decoder)),
      settled: earlier,
      onSettled: (settled) => {
        added.push(...addedIds(settled));
        return writeJson(store, `${work}${ulid(new Date())}.json`, { settled });
      },
    });
    const refusedFiles = new Set(report.refused.flatMap(({ origin }) => origin?.files ?? []));
    const documents = new Set(layout.documents);
    return {
      ...{ layout, report, entries: named.entries, added, missing: [...named.missing] },
      used: new Set([...named.files].filter((path) => !refusedFiles.has(path))),
      strays: [...paths].filter((path) => !path.endsWith('/') && !named.files.has(path) && !documents.has(path)),
    };
  } catch (error) {
    // An import that had brought something says so in an error of its own.
    const fault =
      error instanceof Error ? [error, error.cause].find((one) => one instanceof UnreadableDrop) : undefined;
    if (fault === undefined || !(error instanceof Error)) throw error;
    return { refused: error.message };
  } finally {
    await scratch.remove();
  }
}

/** Which document is larger than what its reader takes, as a sentence; null if none is. */
function tooLarge({ labels, documents }: DropLayout, { files }: DropListing): string | null {
  for (const { path, size } of files) {
    const isCoco = labels?.format === 'coco' && labels.annotations === path;
    const most = isCoco ? MAX_COCO_BYTES : MAX_DOCUMENT_BYTES;
    if (documents.includes(path) && size > most) return `${path} has ${size} bytes, more than ${most}`;
  }
  return null;
}

/** What is wrong with a drop as a whole; faults of the pool, of its rules or of the store are none of these. */
class UnreadableDrop extends PartloopError {}

async function faultOfDrop<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof PartloopError) || FAILURES[cause.code].actor !== 'user') throw cause;
    throw new UnreadableDrop(cause.code, cause.message, { cause });
  }
}

const addedIds = (settled: readonly Settled[]): string[] =>
  settled.flatMap(({ outcome, image }) => (outcome === 'added' && image !== null ? [image.imageId] : []));

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

  async *watch(entries: AsyncGenerator<ImportEntry>): AsyncGenerator<ImportEntry> {
    try {
      yield* this.#watched(entries);
    } finally {
      // Whoever ends early leaves them open.
      await entries.return(undefined);
    }
  }

  async *#watched(entries: AsyncGenerator<ImportEntry>): AsyncGenerator<ImportEntry> {
    for (;;) {
      const { done, value: entry } = await faultOfDrop(() => entries.next());
      if (done) return;
      if (!('notice' in entry)) {
        this.entries += 1;
        if (this.entries > MAX_DROP_FILES)
          throw new UnreadableDrop('data-invalid', `its labels have more than ${MAX_DROP_FILES} entries`);
        for (const path of entry.origin?.files ?? []) this.files.add(path);
        for (const name of entry.origin?.missing ?? []) this.missing.add(name);
      }
      yield entry;
    }
  }
}
