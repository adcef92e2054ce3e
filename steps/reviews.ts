import type { IterationContext } from '../domain/steps.js';
import { type Reviews, readReviews, reviewListSchema } from '../storage/reviews.js';
import { readJson } from '../storage/tables/json.js';
import type { ActivityDeps } from './deps.js';
import { type Pin, type Pinned, pinned, recordedResults, unpinned } from './pins.js';

const REVIEWS: Pin<string[]> = { name: 'reviews', step: 'scan', schema: reviewListSchema };

/**
 * The verdicts that a scan takes into account: all that existed at the time of the iteration's scan, and in a replay
 * from scan all that exist now.
 */
export async function reviewsFor(deps: ActivityDeps, context: IterationContext): Promise<Pinned<Reviews>> {
  const { store } = deps;
  const { pool } = context.config;
  const { scan } = await recordedResults(deps, context, 'scan');
  if (scan !== undefined) {
    const listed = scan.outputs.reviews;
    return unpinned(
      await readReviews(store, pool, listed === undefined ? [] : await readJson(store, listed, reviewListSchema)),
    );
  }
  const { value, keep } = await pinned(deps, context, REVIEWS, async () => (await readReviews(store, pool)).keys);
  return { value: await readReviews(store, pool, value), keep };
}
