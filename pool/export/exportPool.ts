import { PartloopError } from '../../domain/base/errors.js';
import { type IndexRow, indexRowSchema } from '../../domain/tables.js';
import {
  type DatasetFormat,
  type DatasetWriter,
  type MakeDatasetWriter,
  type Piece,
  SPLITS,
  type Split,
} from '../../formats/dataset.js';
import { ExportNames } from '../../formats/names.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { mapInOrder } from '../../storage/parallel.js';
import { openPool, type Pool } from '../../storage/pool/pool.js';
import { type ExportFolder, type LeftOutOfExport, openExportFolder } from './exportFolder.js';
import { type ImagesOut, type ReadForExport, readForExport } from './readForExport.js';

/** Rows of the index in memory at once, and images that are read ahead. */
const ROWS_AT_ONCE = 100_000;
const READ_AHEAD = 8;

/** By what images are put in order; of a large pool only this is in memory as a whole. */
const orderSchema = indexRowSchema.pick({ imageId: true, split: true, labelRevision: true, removedAt: true });

export interface PoolExportRequest {
  pool: string;
  format: DatasetFormat;
  /** A new or empty folder, or that of the same export, which goes on. */
  out: string;
  /** null: all. */
  split: Split | null;
  images: ImagesOut;
  /** Where copies of the pool's index are kept. */
  cacheFolder?: string;
  now: Date;
  onProgress(done: number): void;
}

export interface PoolExportReport {
  pool: string;
  version: number;
  format: DatasetFormat;
  folder: string;
  images: number;
  /** Images written anew, upright, since EXIF turned them. */
  turned: number;
  /** Images whose label has no class. */
  unlabelled: number;
  files: readonly Piece[];
  leftOut: LeftOutOfExport[];
}

/**
 * Write the newest version of a pool as a dataset of another tool. Images pass through one by one; what is complete is
 * kept, and the same request goes on there.
 *
 * @throws PartloopError `not-found` for a pool that is not there, or without images of the split; `input-invalid` for a
 * folder with other things in it; faults of the store and the disk
 */
export async function exportPool(
  store: ObjectStore,
  request: PoolExportRequest,
  makeWriter: MakeDatasetWriter,
): Promise<PoolExportReport> {
  const { pool: name, format, out, split, images, cacheFolder } = request;
  const pool = await openPool(store, name, cacheFolder === undefined ? {} : { cacheFolder });
  const version = await pool.latestVersion();
  const ids = await idsBySplit(pool, version, split);
  if (ids.every(({ imageIds }) => imageIds.length === 0))
    throw new PartloopError('not-found', `pool ${name} has no images${split === null ? '' : ` of split ${split}`}`, {
      hint: '`partloop pool stats POOL` shows how many images each split has.',
    });
  const folder = await openExportFolder(out, { pool: name, version, format, split, images }, request.now);
  const { createdAt } = folder;
  const writer = makeWriter(out, { pool: name, version, taxonomy: pool.taxonomy, storeUri: store.uri, createdAt });
  const run = new ExportRun(writer, folder, request.onProgress);
  const names = new ExportNames();
  for (const { split: side, imageIds } of ids) {
    const rest = rowsToRead(pool, version, imageIds, names, run.takenOf(side));
    for await (const rows of rest)
      for await (const read of mapInOrder(rows, READ_AHEAD, (row) => readForExport(store, row, { images, writer })))
        await run.take(side, read);
    await run.close(side);
  }
  const report = { pool: name, version, format, folder: out, ...(await run.finish()) };
  await folder.complete({ ...report, folder: undefined, split, pictures: images, createdAt });
  return report;
}

/** Ids of a version's images by split, in their order. */
async function idsBySplit(
  pool: Pool,
  version: number,
  only: Split | null,
): Promise<{ split: Split; imageIds: string[] }[]> {
  const bySplit = new Map<Split, string[]>(SPLITS.map((split) => [split, []]));
  for (const { imageId, split } of await pool.readColumns(version, orderSchema)) bySplit.get(split)?.push(imageId);
  return SPLITS.filter((split) => only === null || split === only).map((split) => ({
    split,
    imageIds: bySplit.get(split) ?? [],
  }));
}

/** Rows with their names, without the first `taken`, which have names all the same. */
async function* rowsToRead(
  pool: Pool,
  version: number,
  imageIds: readonly string[],
  names: ExportNames,
  taken: number,
): AsyncGenerator<{ row: IndexRow; name: string }[]> {
  for (let from = 0; from < imageIds.length; from += ROWS_AT_ONCE) {
    const rows = await pool.readImages(version, new Set(imageIds.slice(from, from + ROWS_AT_ONCE)));
    const named = rows.map((row) => ({ row, name: names.take(row.fileName, row.imageId).name }));
    yield named.slice(Math.max(0, taken - from));
  }
}

/** What has become of the images so far; hands them on to the format, and notes each piece that is complete. */
class ExportRun {
  readonly #pieces: Piece[] = [];
  readonly #taken = new Map<Split, number>();
  readonly #leftOut: LeftOutOfExport[] = [];
  #images = 0;
  #turned = 0;
  #unlabelled = 0;
  /** Not noted yet. */
  #since = { turned: 0, unlabelled: 0, leftOut: 0 };

  constructor(
    private readonly writer: DatasetWriter,
    private readonly folder: ExportFolder,
    private readonly onProgress: (done: number) => void,
  ) {
    for (const { piece, taken, turned, unlabelled, leftOut } of folder.steps) {
      writer.resume(piece);
      this.#pieces.push(piece);
      this.#taken.set(piece.split, taken);
      this.#images += piece.images;
      this.#turned += turned;
      this.#unlabelled += unlabelled;
      this.#leftOut.push(...leftOut);
    }
    this.#since.leftOut = this.#leftOut.length;
  }

  /** Images of a split that an earlier run is done with. */
  takenOf(split: Split): number {
    return this.#taken.get(split) ?? 0;
  }

  async take(split: Split, read: ReadForExport): Promise<void> {
    this.#taken.set(split, this.takenOf(split) + 1);
    if ('leftOut' in read) {
      this.#leftOut.push(read.leftOut);
      return;
    }
    const { image, turned } = read;
    this.#images++;
    if (turned) {
      this.#turned++;
      this.#since.turned++;
    }
    if (image.row.classes.length === 0) {
      this.#unlabelled++;
      this.#since.unlabelled++;
    }
    await this.#note(split, await this.writer.add(split, image));
    this.onProgress(this.#images);
  }

  async close(split: Split): Promise<void> {
    await this.#note(split, await this.writer.close(split));
  }

  async finish(): Promise<Pick<PoolExportReport, 'images' | 'turned' | 'unlabelled' | 'files' | 'leftOut'>> {
    const files = await this.writer.finish(this.#pieces);
    const counts = { images: this.#images, turned: this.#turned, unlabelled: this.#unlabelled };
    return { ...counts, files, leftOut: this.#leftOut };
  }

  async #note(split: Split, piece: Piece | null): Promise<void> {
    if (piece === null) return;
    this.#pieces.push(piece);
    const { turned, unlabelled, leftOut: from } = this.#since;
    const leftOut = this.#leftOut.slice(from);
    await this.folder.note({ piece, taken: this.takenOf(split), turned, unlabelled, leftOut });
    this.#since = { turned: 0, unlabelled: 0, leftOut: this.#leftOut.length };
  }
}
