import { join } from 'node:path';
import { digestOfFile } from '../../storage/seal.js';
import type { DatasetFacts, DatasetWriter, Piece, Split } from '../dataset.js';
import { writeBelow } from '../writer.js';
import { datasetCard } from './card.js';
import { columnsOf } from './columns.js';
import { croissant } from './croissant.js';
import { Shard } from './shard.js';
import { HF_SPLITS } from './splits.js';

/**
 * Bytes of pictures and labels in one Parquet file: it is one row group, which readers hold in memory, and the hub's
 * viewer reads groups of up to 300 MB.
 */
const SHARD_BYTES = 128 * 2 ** 20;
/**
 * A folder that `datasets.load_dataset` reads, here or on the hub: `data/SPLIT-00000.parquet` with the bytes of
 * pictures and labels, `README.md` as the dataset's card, and `croissant.json`.
 *
 * @param most bytes after which another file begins
 */
export function createHfDatasetWriter(folder: string, facts: DatasetFacts, most = SHARD_BYTES): DatasetWriter {
  const columns = columnsOf(facts.taxonomy);
  const written = new Map<Split, number>();
  let open: Shard | null = null;

  const write = async (split: Split, shard: Shard): Promise<Piece> => {
    open = null;
    const number = written.get(split) ?? 0;
    const file = `data/${HF_SPLITS[split]}-${String(number).padStart(5, '0')}.parquet`;
    const path = join(folder, file);
    await shard.write(path);
    written.set(split, number + 1);
    const { sha256, size } = await digestOfFile(path);
    return { split, file, images: shard.images, bytes: size, sha256 };
  };

  return {
    async add(split, image) {
      open ??= await Shard.open(columns);
      open.add(image);
      return open.bytes < most ? null : write(split, open);
    },
    close: async (split) => (open === null ? null : write(split, open)),
    hasPicture: async () => false,
    resume({ split }) {
      written.set(split, (written.get(split) ?? 0) + 1);
    },
    async finish(pieces) {
      await writeBelow(folder, 'taxonomy.json', `${JSON.stringify(facts.taxonomy, null, 1)}\n`);
      await writeBelow(folder, 'README.md', datasetCard(facts, pieces, columns));
      await writeBelow(folder, 'croissant.json', `${JSON.stringify(croissant(facts, pieces, columns), null, 2)}\n`);
      return pieces;
    },
  };
}
