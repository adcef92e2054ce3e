import type { ChunkRow, IndexRow, SampleRow, ScanImageRow, TrainingRow } from '../tables.js';

/**
 * Earlier picks in their present state in the pool, without those that a scan has since set aside, that were removed,
 * or that a person moved to test or validation.
 */
export function refreshRows(
  earlier: readonly TrainingRow[],
  index: readonly IndexRow[],
  scanned: readonly ScanImageRow[],
): TrainingRow[] {
  const quarantined = new Set(scanned.filter((row) => row.quarantined).map((row) => row.imageId));
  const wanted = new Set(earlier.map((row) => row.imageId));
  const newest = new Map(index.filter((row) => wanted.has(row.imageId)).map((row) => [row.imageId, row]));
  return earlier
    .filter((row) => !quarantined.has(row.imageId) && newest.get(row.imageId)?.split === 'train')
    .map((row) => {
      const known = newest.get(row.imageId);
      return known === undefined || known.labelRevision <= row.labelRevision
        ? row
        : { ...known, cluster: row.cluster, pickedIn: row.pickedIn };
    });
}

/** Images of earlier chunks that this scan judged again and let out of quarantine: they become candidates again. */
export function returningRows(
  scanned: readonly ScanImageRow[],
  chunk: readonly ChunkRow[],
  trainingSet: readonly TrainingRow[],
  index: readonly IndexRow[],
): ChunkRow[] {
  const known = new Set([...chunk, ...trainingSet].map((row) => row.imageId));
  const returning = new Set(
    scanned
      .filter((row) => !row.quarantined && row.error === null && !known.has(row.imageId))
      .map((row) => row.imageId),
  );
  if (returning.size === 0) return [];
  return index
    .filter((row) => returning.has(row.imageId) && row.split === 'train' && row.region !== 'interior')
    .map((row) => ({ ...row, cluster: row.imageId }));
}

/** The training set with the new picks, in order of image id. */
export function joinTrainingSet(
  trainingSet: readonly TrainingRow[],
  chunk: readonly ChunkRow[],
  picks: readonly SampleRow[],
  iteration: number,
): TrainingRow[] {
  const picked = new Set(picks.map((row) => row.imageId));
  const known = new Set(trainingSet.map((row) => row.imageId));
  const added = chunk
    .filter((row) => picked.has(row.imageId) && !known.has(row.imageId))
    .map((row) => ({ ...row, pickedIn: iteration }));
  return [...trainingSet, ...added].sort((a, b) => (a.imageId < b.imageId ? -1 : a.imageId > b.imageId ? 1 : 0));
}
