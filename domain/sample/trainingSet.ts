import { type DrawColumns, splitAt } from '../draw/drawColumns.js';
import type { ChunkRow, SampleRow, ScanImageRow, TrainingRow } from '../tables.js';

/** The images to train on, in order of image id. Whole rows are made as somebody goes through them. */
export interface TrainingSet extends Iterable<TrainingRow> {
  readonly count: number;
  has(imageId: string): boolean;
}

/**
 * What becomes of an earlier pick in the present state of the pool. Out are those that a scan has since set aside, that
 * were removed, or that a person moved to test or validation; `changed` ones have a newer row.
 */
export function fateOf(
  { imageId, labelRevision }: Pick<TrainingRow, 'imageId' | 'labelRevision'>,
  index: DrawColumns,
  quarantined: ReadonlySet<string>,
): 'kept' | 'changed' | 'out' {
  const at = index.ids.find(imageId);
  if (at < 0 || splitAt(index, at) !== 'train' || quarantined.has(imageId)) return 'out';
  return (index.labelRevision[at] as number) > labelRevision ? 'changed' : 'kept';
}

/** Images of earlier chunks that this scan judged again and let out of quarantine: they become candidates again. */
export function returningImages(
  scanned: readonly ScanImageRow[],
  chunk: readonly ChunkRow[],
  trainingSet: Pick<TrainingSet, 'has'>,
  index: DrawColumns,
): Set<string> {
  const drawn = new Set(chunk.map(({ imageId }) => imageId));
  const isOfPool = (imageId: string): boolean => {
    const at = index.ids.find(imageId);
    return at >= 0 && splitAt(index, at) === 'train' && index.interior[at] === 0;
  };
  const returning = scanned.filter(
    ({ imageId, quarantined, error }) =>
      !quarantined && error === null && !drawn.has(imageId) && !trainingSet.has(imageId) && isOfPool(imageId),
  );
  return new Set(returning.map(({ imageId }) => imageId));
}

/** The training set with the new picks. */
export function joinTrainingSet(
  trainingSet: TrainingSet,
  chunk: readonly ChunkRow[],
  picks: readonly SampleRow[],
  iteration: number,
): Pick<TrainingSet, 'count'> & Iterable<TrainingRow> {
  const picked = new Set(picks.map((row) => row.imageId));
  const added = chunk
    .filter((row) => picked.has(row.imageId) && !trainingSet.has(row.imageId))
    .map((row) => ({ ...row, pickedIn: iteration }))
    .sort((a, b) => (a.imageId < b.imageId ? -1 : a.imageId > b.imageId ? 1 : 0));
  return { count: trainingSet.count + added.length, [Symbol.iterator]: () => merged(trainingSet, added) };
}

/** The rows of two lists in order of image id, which are each in that order. */
function* merged(rows: Iterable<TrainingRow>, added: readonly TrainingRow[]): Generator<TrainingRow> {
  let next = 0;
  for (const row of rows) {
    for (; next < added.length && (added[next] as TrainingRow).imageId < row.imageId; next++)
      yield added[next] as TrainingRow;
    yield row;
  }
  yield* added.slice(next);
}
