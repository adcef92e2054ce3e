import type { IterationContext } from '../domain/steps.js';
import type { ActivityDeps } from '../steps/deps.js';
import { type Pin, type Pinned, pinned } from '../steps/pins.js';
import { isForced } from '../steps/runStep.js';
import { readJson } from '../storage/json.js';
import { readLoopState } from '../storage/loopState.js';
import { type Reviews, readReviews, reviewListSchema } from '../storage/reviews.js';

const REVIEWS: Pin<string[]> = { name: 'reviews', step: 'scan', schema: reviewListSchema };

/**
 * The verdicts that a scan takes into account: all there were when the iteration's scan was done, and in a replay from scan all
 * there are.
 */
export async function reviewsFor(deps: ActivityDeps, context: IterationContext): Promise<Pinned<Reviews>> {
  const { store } = deps;
  const { pool } = context.config;
  if (!isForced(context, 'scan')) {
    const { iterations } = await readLoopState(store, context.loop);
    const own = iterations.find((entry) => entry.iteration === context.iteration)?.current;
    const scan = own?.config.pool === pool ? own.results.scan : undefined;
    if (scan !== undefined) {
      const listed = scan.outputs.reviews;
      const recorded = listed === undefined ? [] : await readJson(store, listed, reviewListSchema);
      return { value: await readReviews(store, pool, recorded), keep: () => Promise.resolve() };
    }
  }
  const { value, keep } = await pinned(deps, context, REVIEWS, async () => (await readReviews(store, pool)).keys);
  return { value: await readReviews(store, pool, value), keep };
}
