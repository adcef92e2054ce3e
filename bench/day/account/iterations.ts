import type { Ledger } from '../ledger.js';
import type { IterationThere, There } from '../there.js';

/** A loop should begin so soon after there are enough images. */
export const WANTED_WAIT_SECONDS = 60;

/** How long an iteration waited though it had its images, and the one before had ended. */
export interface IterationWait {
  iteration: number;
  seconds: number;
}

/**
 * Seconds from the moment that an iteration could begin to its beginning. Images count from the time in their rows,
 * which is that of the beginning of their drop's reading: an upper bound.
 */
export function iterationWaits({ iterations, images }: There, newImages: number): IterationWait[] {
  const drawn = new Set(iterations.flatMap((one) => one.images));
  const arrivals = images
    .filter(({ split, removedAt, imageId }) => split === 'train' && (removedAt === null || drawn.has(imageId)))
    .map(({ ingestedAt }) => Date.parse(ingestedAt))
    .sort((a, b) => a - b);
  let free = 0;
  let before = 0;
  return iterations.map(({ iteration, startedAt, endedAt, images: own }) => {
    const due = Math.max(free, arrivals[before + newImages - 1] ?? 0);
    free = Date.parse(endedAt);
    before += own.length;
    return { iteration, seconds: Math.max(0, (Date.parse(startedAt) - due) / 1_000) };
  });
}

/** Iterations that are missing or recorded twice, and images that they should not have drawn. */
export function iterationFaults(ledger: Ledger, there: There, waits: readonly IterationWait[]): string[] {
  const { iterations, production } = there;
  const finished = iterations.filter(({ status }) => status === 'finished').map(({ iteration }) => iteration);
  const late = waits.filter(({ seconds }) => seconds > WANTED_WAIT_SECONDS);
  return [
    ...numberFaults(ledger, iterations),
    ...chunkFaults(there),
    ...late.map(({ iteration, seconds }) => `iteration ${iteration} began ${Math.round(seconds)} s after it could`),
    ...(finished.length > 0 && production.length === 0 ? ['no model is in production'] : []),
    ...production.flatMap((iteration, at) => [
      ...(finished.includes(iteration)
        ? []
        : [`the model in production is of iteration ${iteration}, which is not done`]),
      ...(production.indexOf(iteration) === at ? [] : [`iteration ${iteration} went into production twice`]),
    ]),
  ];
}

function numberFaults({ failing }: Ledger, iterations: readonly IterationThere[]): string[] {
  return iterations.flatMap(({ iteration, status, failedAttempts }, at) => [
    ...(iteration === at + 1 ? [] : [`iteration ${iteration} is recorded where ${at + 1} should be`]),
    ...(status === 'finished' ? [] : [`iteration ${iteration} is not finished`]),
    ...(failedAttempts > 0 === (iteration === failing)
      ? []
      : [
          `iteration ${iteration} failed ${failedAttempts} times, ${iteration === failing ? 'and should have' : 'unasked'}`,
        ]),
  ]);
}

function chunkFaults({ iterations, images }: There): string[] {
  const known = new Map(images.map((image) => [image.imageId, image]));
  const drawnBy = new Map<string, number>();
  const faults: string[] = [];
  for (const { iteration, images: drawn, startedAt } of iterations)
    for (const imageId of drawn) {
      const earlier = drawnBy.get(imageId);
      if (earlier !== undefined) faults.push(`image ${imageId} was drawn by iterations ${earlier} and ${iteration}`);
      drawnBy.set(imageId, iteration);
      const image = known.get(imageId);
      if (image === undefined) faults.push(`iteration ${iteration} drew image ${imageId}, which no pool has`);
      else if (image.split !== 'train') faults.push(`iteration ${iteration} drew ${image.split} image ${imageId}`);
      else if (image.removedAt !== null && image.removedAt < startedAt)
        faults.push(`iteration ${iteration} drew image ${imageId}, which had been removed`);
    }
  return faults;
}
