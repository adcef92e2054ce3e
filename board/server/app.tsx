import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { nameSchema } from '../../domain/base/ids.js';
import { boardReviewerSchema } from '../../domain/board/batch.js';
import { queueFilterSchema } from '../../domain/board/queue.js';
import { reviewerFigures } from '../../domain/board/reviewers.js';
import { outputOf } from '../../domain/stepContract.js';
import { listLoops, recordedIteration } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Desks } from '../desks.js';
import type { TemporalLink } from '../loops/temporalLink.js';
import type { WorstDesk } from '../loops/worstDesk.js';
import { gridPage } from '../pages/grid.js';
import { homePage } from '../pages/home.js';
import { messagePage } from '../pages/message.js';
import { namePage } from '../pages/name.js';
import { reviewPage } from '../pages/review.js';
import { reviewersPage } from '../pages/reviewers.js';
import { scansOf } from '../scans.js';
import { type Access, localPath, reviewerOf, setReviewerName } from './access.js';
import { loopRoutes } from './loops.js';
import { contentPolicy } from './policy.js';
import { faultOf, parsed } from './requests.js';
import { scanApi } from './scanApi.js';

const MAX_FORM = 64 * 1024;

export interface BoardOptions {
  store: ObjectStore;
  desks: Desks;
  access: Access;
  temporal: TemporalLink;
  worst: WorstDesk;
  /** Folder of the bundled client: scripts and the style sheet. */
  assets: string;
  /** Faults whose cause no page tells. */
  onError(error: unknown): void;
}

/** The board as an application: pages rendered here, and what their script asks for. */
export function boardApp({ store, desks, access, temporal, worst, assets, onError }: BoardOptions): Hono {
  const app = new Hono();
  app.use(contentPolicy);
  app.use(secureHeaders({ referrerPolicy: 'same-origin' }));
  app.use(access.guard);
  app.get('/enter', access.enter);
  app.get('/assets/:file{(?:review|grid|loop)\\.js|board\\.css}', async (context) => {
    const file = context.req.param('file');
    context.header('Content-Type', file.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8');
    context.header('Cache-Control', 'no-cache');
    return context.body(new Uint8Array(await readFile(join(assets, file))));
  });

  app.get('/', async (context) =>
    context.html(
      homePage({ pools: await scansOf(store), loops: await listLoops(store), reviewer: reviewerOf(context).name }),
    ),
  );
  app.route('/loops', loopRoutes({ store, temporal, worst, onError }));
  app.get('/reports/:loop/:iteration', async (context) => {
    const loop = parsed(nameSchema, context.req.param('loop'));
    const number = parsed(z.coerce.number().int().positive(), context.req.param('iteration'));
    const { report } = (await recordedIteration(store, loop, number)).current.results;
    if (report === undefined) throw new PartloopError('not-found', `iteration ${number} of loop ${loop} has no report`);
    return context.html(new TextDecoder().decode((await store.get(outputOf(report, 'report'))).body));
  });
  app.get('/name', (context) =>
    context.html(namePage({ name: reviewerOf(context).name ?? '', next: nextOf(context) })),
  );
  app.post('/name', bodyLimit({ maxSize: MAX_FORM }), async (context) => {
    const form = await context.req.parseBody();
    const next = localPath(String(form.next ?? '/'));
    const name = boardReviewerSchema.safeParse(form.name);
    if (!name.success)
      return context.html(namePage({ name: '', next, problem: name.error.issues[0]?.message ?? '' }), 400);
    setReviewerName(context, name.data);
    return context.redirect(next, 303);
  });
  for (const [path, page] of [
    ['/review/:scan', reviewPage],
    ['/grid/:scan', gridPage],
  ] as const)
    app.get(path, async (context) => {
      const { name } = reviewerOf(context);
      const filter = parsed(queueFilterSchema, filled(context.req.query()));
      if (name === null) return context.redirect(`/name?next=${encodeURIComponent(pathOf(context))}`, 303);
      const { desk } = await desks.of(context.req.param('scan') ?? '');
      return context.html(page({ desk, filter, reviewer: name }));
    });

  app.get('/reviewers/:scan', async (context) => {
    const { desk } = await desks.of(context.req.param('scan'));
    await desk.refreshAnswers();
    return context.html(reviewersPage(desk.scan.id, reviewerFigures(desk.batches)));
  });

  app.route('/api/scans/:scan', scanApi(desks));
  app.notFound((context) => context.html(messagePage('There is no such page', 'The address may be mistyped.'), 404));
  app.onError((error, context) => {
    const { status, message, hint } = faultOf(error);
    if (status >= 500) onError(error);
    if (context.req.path.startsWith('/api/')) return context.json({ error: message, hint }, status);
    return context.html(messagePage(message, hint), status);
  });
  return app;
}

const pathOf = ({ req }: Context): string => req.url.slice(new URL(req.url).origin.length);
const nextOf = (context: Context): string => localPath(context.req.query('next') ?? '/');

/** The fields of a form that somebody filled in. */
const filled = (query: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
