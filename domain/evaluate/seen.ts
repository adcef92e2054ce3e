import type { DrawColumns } from '../draw/drawColumns.js';
import { nearDuplicateGroups } from '../draw/nearDuplicates.js';
import type { TrainingList } from '../train/modelCard.js';

/** Why a model is not measured by an image: it was trained on it, on a copy of it, or on another one of its vehicle. */
export const SEEN = ['image', 'copy', 'vehicle'] as const;
export type Seen = (typeof SEEN)[number];

/**
 * The images of a pool that a model has seen, with their near duplicates on any side of the split, and their vehicles.
 *
 * @returns by image id; images that it has not seen are not in it
 */
export function seenImages(list: TrainingList, index: DrawColumns): Map<string, Seen> {
  const images = new Set(list.images.map(({ imageId }) => imageId));
  const vehicles = new Set(list.images.flatMap(({ vehicleId }) => vehicleId ?? []));
  const clusters = new Set(list.images.map(({ cluster }) => cluster));
  const groups = nearDuplicateGroups(index);
  // Lists know near duplicates among the training images alone.
  const seenGroups = new Set<number>();
  for (let row = 0; row < index.ids.count; row++) {
    const imageId = index.ids.at(row);
    if (images.has(imageId) || clusters.has(imageId)) seenGroups.add(groups[row] as number);
  }
  const seen = new Map<string, Seen>();
  for (let row = 0; row < index.ids.count; row++) {
    const imageId = index.ids.at(row);
    const vehicle = index.vehicles[index.vehicle[row] as number];
    if (images.has(imageId)) seen.set(imageId, 'image');
    else if (seenGroups.has(groups[row] as number)) seen.set(imageId, 'copy');
    else if (vehicle !== undefined && vehicles.has(vehicle)) seen.set(imageId, 'vehicle');
  }
  return seen;
}
