import { z } from 'zod';
import type { IterationContext } from '../domain/steps.js';
import { readJson } from '../storage/json.js';
import { readLoopState } from '../storage/loopState.js';
import { type Reviews, readReviews } from '../storage/reviews.js';
import type { ActivityDeps } from './deps.js';
import { isForced } from './step.js';

/** Names of the reviews that a scan took into account: output `reviews`. */
export const reviewListSchema = z.array(z.string());

/**
 * The verdicts that a scan takes into account: all there are, but a replay of a later step keeps those that its scan had, since
 * it must find that scan done.
 */
export async function reviewsFor({ store }: ActivityDeps, context: IterationContext): Promise<Reviews> {
  const { pool } = context.config;
  if (!isForced(context, 'scan')) {
    const { iterations } = await readLoopState(store, context.loop);
    const own = iterations.find((entry) => entry.iteration === context.iteration)?.current;
    const scan = own?.config.pool === pool ? own.results.scan : undefined;
    if (scan !== undefined) {
      const listed = scan.outputs.reviews;
      return readReviews(store, pool, listed === undefined ? [] : await readJson(store, listed, reviewListSchema));
    }
  }
  return readReviews(store, pool);
}
