import type { ImageState } from '../images/imageState.js';
import type { TrainingRow } from '../tables.js';
import type { JudgedRow, OfferedRow, TrainedImage } from './columns.js';

/** The images to train on, in order of image id, as far as the choice of more depends on them. */
export interface TrainingSet extends Iterable<TrainedImage> {
  readonly count: number;
  has(imageId: string): boolean;
}

/**
 * What becomes of an earlier pick in the present state of the pool. Out are those that a scan has since set aside, that
 * were removed, or that a person moved to test or validation; `changed` ones have a newer row.
 *
 * @param now the images that the pool has now
 */
export function fateOf(
  { imageId, labelRevision }: Pick<TrainingRow, 'imageId' | 'labelRevision'>,
  now: ReadonlyMap<string, ImageState>,
  quarantined: ReadonlySet<string>,
): 'kept' | 'changed' | 'out' {
  const state = now.get(imageId);
  if (state?.split !== 'train' || quarantined.has(imageId)) return 'out';
  return state.labelRevision > labelRevision ? 'changed' : 'kept';
}

/** Images of earlier chunks that this scan judged again and let out of quarantine: they become candidates again. */
export function returningImages(
  scanned: readonly Pick<JudgedRow, 'imageId' | 'quarantined' | 'error'>[],
  chunk: readonly Pick<OfferedRow, 'imageId'>[],
  trainingSet: Pick<TrainingSet, 'has'>,
  now: ReadonlyMap<string, ImageState>,
): Set<string> {
  const drawn = new Set(chunk.map(({ imageId }) => imageId));
  const isOfPool = (imageId: string): boolean => {
    const state = now.get(imageId);
    return state?.split === 'train' && state.region !== 'interior';
  };
  const returning = scanned.filter(
    ({ imageId, quarantined, error }) =>
      !quarantined && error === null && !drawn.has(imageId) && !trainingSet.has(imageId) && isOfPool(imageId),
  );
  return new Set(returning.map(({ imageId }) => imageId));
}
