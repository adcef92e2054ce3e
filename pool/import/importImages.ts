import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { rowsWhere, splitAt } from '../../domain/draw/drawColumns.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { ImportEntry, ImportReport } from '../../formats/reading/importItem.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { PoolHistory } from '../../storage/pool/poolHistory.js';
import { copyGuard } from '../copies/copyGuard.js';
import { Thumbnails } from '../copies/thumbnails.js';
import { LabelKeeper } from '../labelKeeper.js';
import { type CandidateContext, readCandidate } from './candidate.js';
import type { DecideOptions } from './decide.js';
import { DECODE_HERE, type ImportDecoder } from './decoder.js';
import { chooseDefaults, type PreparedPool, preparePool } from './preparePool.js';
import { isEverybodys, readEntries } from './readEntries.js';
import { SegmentedImport, type SegmentOptions } from './segmentedImport.js';
import type { Settled } from './settled.js';
import { testLeakNotices } from './testLeaks.js';

export interface ImportOptions extends Partial<DecideOptions>, Partial<Pick<SegmentOptions, 'guard' | 'onSettled'>> {
  onProgress(done: number): void;
  now: Date;
  /** Decoder of pictures and masks; in this process if omitted. */
  decoder?: ImportDecoder;
  /** Stops after the current images; images read by then are kept. */
  signal?: AbortSignal | undefined;
  /** What earlier runs of the same import settled, as `onSettled` was told: these entries are not read again. */
  settled?: readonly Settled[];
}

/**
 * Import images into a pool. A bad image is refused with its reason and never stops the rest; of equal pictures the
 * first one counts. Images are added in segments during the import, so an import that ends early keeps them, and
 * continues there if it is run again. `decide` tells what is new.
 *
 * @throws PartloopError `config-invalid` if the pool has other classes; faults of the store, after the images read so
 * far are kept
 */
export async function importImages(
  store: ObjectStore,
  poolName: string,
  taxonomy: Taxonomy,
  entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>,
  options: ImportOptions,
): Promise<ImportReport> {
  const prepared = await preparePool(store, poolName, taxonomy);
  const history = (await prepared.pool?.history()) ?? new PoolHistory();
  const { test = false, relabel = false, restore = false, importId = null } = options;
  const { now, decoder = DECODE_HERE, onSettled } = options;
  const guard = options.guard ?? copyGuard(new Thumbnails(store, decoder));
  const labels = new LabelKeeper(store, history);
  const context: CandidateContext = {
    ...{ store, pool: poolName, taxonomy, history, labels, decoder },
    ...{ test, restore, importId, now },
  };
  const report = await emptyReport(poolName, prepared);
  const segments = new SegmentedImport(prepared, history, labels, report, {
    ...{ test, relabel, restore, importId, guard, onSettled },
  });
  segments.resume(options.settled ?? []);

  const fault = await readEntries(entries, (item) => readCandidate(item, context), {
    onProgress: options.onProgress,
    signal: options.signal,
    isSettled: (index) => segments.isSettled(index),
    take: (outcome) => segments.take(outcome),
  });
  await segments.flush().catch((error: unknown) => {
    throw fault?.error ?? error;
  });
  if (fault !== null) throw interruption(fault.error, report);
  segments.tellNotes();
  if (prepared.pool !== null) {
    const now = await prepared.pool.history();
    const index = await prepared.pool.readDrawColumns(await prepared.pool.latestVersion());
    const fileNameOf = (imageId: string): string => now.latest(imageId)?.fileName ?? imageId;
    report.notices.push(...testLeakNotices({ index, imported: segments.imported(), fileNameOf }));
    await chooseDefaults(store, poolName, rowsWhere(index, (row) => splitAt(index, row) === 'train').length);
  }
  return report;
}

async function emptyReport(name: string, { pool, notices }: PreparedPool): Promise<ImportReport> {
  return {
    pool: name,
    version: (await pool?.latestVersion()) ?? 0,
    ...{ added: 0, replaced: 0, updated: 0, restored: 0, known: 0 },
    split: { train: 0, val: 0, test: 0, drawn: 0 },
    ...{ kept: [], removed: [], movedToTest: [], refused: [], unlabelled: [], notices: [...notices] },
  };
}

/** The fault that ended an import, with what it brought in until then. */
function interruption(error: unknown, { pool, version, ...report }: ImportReport): unknown {
  const { added, replaced, updated, restored } = report;
  const brought = added + replaced + updated + restored;
  if (!(error instanceof PartloopError) || (brought === 0 && !isEverybodys(error))) return error;
  const kept =
    brought === 0 ? '' : `; ${counted(brought, 'image is', 'images are')} already in pool ${pool}, version ${version}`;
  return new PartloopError(error.code, `${error.message}${kept}`, {
    hint: error.hint ?? 'Run the same command again: it goes on with the missing images.',
    cause: error,
  });
}
