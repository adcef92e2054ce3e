import { type Context, Hono } from 'hono';
import { queueFilterSchema } from '../../domain/board/queue.js';
import { reviewerFigures } from '../../domain/board/reviewers.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { type FoundScan, poolScans } from '../../storage/scans.js';
import type { Desks } from '../desks.js';
import { gridPage } from '../pages/grid.js';
import { auditPage, reviewPage } from '../pages/review.js';
import { reviewersPage } from '../pages/reviewers.js';
import { reviewerOf } from './access.js';
import { parsed } from './requests.js';

/** The pages about one scan. */
export function scanPages(store: ObjectStore, desks: Desks): Hono {
  const pages = new Hono();
  for (const [path, page] of [
    ['/review/:scan', reviewPage],
    ['/grid/:scan', gridPage],
  ] as const)
    pages.get(path, async (context) => {
      const { name } = reviewerOf(context);
      const filter = parsed(queueFilterSchema, filled(context.req.query()));
      if (name === null) return context.redirect(`/name?next=${encodeURIComponent(pathOf(context))}`, 303);
      return desks.use(context.req.param('scan') ?? '', async ({ desk }) => {
        // A damaged record of another scan costs the links to the others alone.
        const scans = await poolScans(store, desk.pool.name).catch((): FoundScan[] => []);
        const siblings = siblingsOf(desk.scan.id, scans);
        return context.html(page({ desk, filter, reviewer: name, siblings }));
      });
    });

  pages.get('/audit/:scan', async (context) => {
    const { name } = reviewerOf(context);
    if (name === null) return context.redirect(`/name?next=${encodeURIComponent(pathOf(context))}`, 303);
    return desks.use(context.req.param('scan'), ({ desk }) => context.html(auditPage({ desk, reviewer: name })));
  });

  pages.get('/reviewers/:scan', (context) =>
    desks.use(context.req.param('scan'), async ({ desk }) => {
      await desk.refreshAnswers();
      const { matching, answered } = desk.countOf(queueFilterSchema.parse({}));
      return context.html(reviewersPage(desk.scan.id, reviewerFigures(desk.batches, matching - answered)));
    }),
  );
  return pages;
}

/** Newest scans to which a page leads with the same filter. */
const MAX_SIBLINGS = 20;

/** Scans of the same loop, or those outside loops. */
function siblingsOf(id: string, scans: readonly FoundScan[]): string[] {
  const loopOf = (scan: string): string | null => (scan.includes(':') ? (scan.split(':')[0] ?? null) : null);
  return scans.flatMap((one) => (loopOf(one.id) === loopOf(id) ? one.id : [])).slice(0, MAX_SIBLINGS);
}

const pathOf = ({ req }: Context): string => req.url.slice(new URL(req.url).origin.length);

/** The fields of a form that somebody filled in. */
const filled = (query: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
