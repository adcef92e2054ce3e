import { z } from 'zod';
import { findingIdSchema } from '../review/review.js';

/** What is shown to a session stays its own for so long after it was last shown. */
export const LEASE_MS = 15 * 60_000;
const MAX_LEASES = 10_000;

export const sessionIdSchema = z.string().regex(/^[A-Za-z0-9_-]{16,64}$/);

/**
 * Findings, or images of the audit sample, that sessions have on their screens, or next to come:
 * `pools/<pool>/board/leases/<scan>.json`, `…/leases/audit/<scan>.json`.
 */
export const leasesSchema = z.object({
  version: z.literal(1),
  leases: z
    .array(z.object({ findingId: findingIdSchema, session: sessionIdSchema, until: z.iso.datetime() }))
    .max(MAX_LEASES),
});
export type Leases = z.infer<typeof leasesSchema>;

export const NO_LEASES: Leases = { version: 1, leases: [] };

/** Free what a session holds. */
export const release = ({ leases }: Leases, session: string): Leases => ({
  version: 1,
  leases: leases.filter((one) => one.session !== session),
});

/**
 * Lease the first `count` findings of a queue that no other session holds. What the session held before and does not
 * get again is free. Leases that ran out are gone.
 *
 * @param queue ids in order, without answered ones
 */
export function lease(
  { leases }: Leases,
  { queue, session, count, now }: { queue: Iterable<string>; session: string; count: number; now: Date },
): { leases: Leases; granted: string[] } {
  const others = leases.filter((one) => one.session !== session && Date.parse(one.until) > now.getTime());
  const held = new Set(others.map(({ findingId }) => findingId));
  const granted: string[] = [];
  for (const findingId of queue) {
    if (granted.length === count) break;
    if (!held.has(findingId)) granted.push(findingId);
  }
  const until = new Date(now.getTime() + LEASE_MS).toISOString();
  const own = granted.map((findingId) => ({ findingId, session, until }));
  return { leases: { version: 1, leases: [...others, ...own].slice(-MAX_LEASES) }, granted };
}
