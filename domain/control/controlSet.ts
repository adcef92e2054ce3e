import { randomOrder } from '../sample/randomOrder.js';

/** The images that one iteration drew. */
export interface DrawnIds {
  iteration: number;
  /** Seed of that iteration. */
  seed: number;
  imageIds: readonly string[];
}

/**
 * A random training set beside that of the loop: as many images from each iteration's chunk as the loop's training set
 * has from it, at random among all that were drawn. Neither the scan nor a policy has a say. Pure: it follows from the
 * draws and the counts alone, so that iterations without a control count like those with one.
 *
 * From one iteration to the next it grows like the loop's: earlier images stay. If a chunk has too few usable images,
 * the newest chunk with more gives the others.
 *
 * @param counts images of the loop's training set, by the iteration that picked them
 * @param isUsable whether an image may still be trained on
 * @returns ids of the images by the iteration that drew them; fewer than the loop's only if all usable ones are in
 */
export function controlSet(
  chunks: readonly DrawnIds[],
  counts: ReadonlyMap<number, number>,
  isUsable: (imageId: string) => boolean,
): Map<number, string[]> {
  const orders = chunks.map(({ iteration, seed, imageIds }) => ({
    iteration,
    rest: randomOrder(imageIds, seed, iteration).values(),
    picks: [] as string[],
  }));
  const takeUpTo = ({ rest, picks }: (typeof orders)[number], wanted: number): void => {
    for (; picks.length < wanted; ) {
      const { value: imageId, done } = rest.next();
      if (done === true) return;
      if (isUsable(imageId)) picks.push(imageId);
    }
  };
  for (const order of orders) takeUpTo(order, counts.get(order.iteration) ?? 0);
  const wanted = [...counts.values()].reduce((sum, count) => sum + count, 0);
  for (const order of orders.toReversed()) {
    const missing = wanted - orders.reduce((sum, { picks }) => sum + picks.length, 0);
    if (missing > 0) takeUpTo(order, order.picks.length + missing);
  }
  return new Map(orders.map(({ iteration, picks }) => [iteration, picks]));
}
