import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { nameSchema } from '../../domain/base/ids.js';
import { boardReviewerSchema } from '../../domain/board/batch.js';
import { outputOf } from '../../domain/stepContract.js';
import { listLoops, recordedIteration } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { AuditCounts } from '../audit/openCounts.js';
import type { Desks } from '../desks.js';
import type { TemporalLink } from '../loops/temporalLink.js';
import type { WorstDesk } from '../loops/worstDesk.js';
import { homePage } from '../pages/home.js';
import { messagePage } from '../pages/message.js';
import { namePage } from '../pages/name.js';
import { scansOf } from '../scans.js';
import { type Access, localPath, reviewerOf, setReviewerName } from './access.js';
import { auditApi } from './auditApi.js';
import { loopRoutes } from './loops.js';
import { contentPolicy } from './policy.js';
import { faultOf, parsed } from './requests.js';
import { scanApi } from './scanApi.js';
import { scanPages } from './scanPages.js';

const MAX_FORM = 64 * 1024;

export interface BoardOptions {
  store: ObjectStore;
  desks: Desks;
  counts: AuditCounts;
  access: Access;
  temporal: TemporalLink;
  worst: WorstDesk;
  /** Folder of the bundled client: scripts and the style sheet. */
  assets: string;
  /** Faults whose cause no page tells. */
  onError(error: unknown): void;
}

/** The board as an application: pages rendered here, and what their script asks for. */
export function boardApp(options: BoardOptions): Hono {
  const { store, desks, counts, access, temporal, worst, assets, onError } = options;
  const app = new Hono();
  app.use(contentPolicy);
  app.use(secureHeaders({ referrerPolicy: 'same-origin' }));
  app.use(access.guard);
  app.get('/enter', access.enter);
  app.get('/assets/:file{(?:review|grid|audit|loop)\\.js|board\\.css}', async (context) => {
    const file = context.req.param('file');
    context.header('Content-Type', file.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8');
    context.header('Cache-Control', 'no-cache');
    return context.body(new Uint8Array(await readFile(join(assets, file))));
  });

  app.get('/', async (context) =>
    context.html(
      homePage({
        pools: await scansOf(store, counts),
        loops: await listLoops(store),
        reviewer: reviewerOf(context).name,
      }),
    ),
  );
  app.route('/loops', loopRoutes({ store, counts, temporal, worst, onError }));
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
  app.route('/', scanPages(store, desks));
  app.route('/api/scans/:scan/audit', auditApi(desks, onError));
  app.route('/api/scans/:scan', scanApi(desks, onError));
  app.notFound((context) => context.html(messagePage('There is no such page', 'The address may be mistyped.'), 404));
  app.onError((error, context) => {
    const { status, message, hint } = faultOf(error);
    if (status >= 500) onError(error);
    if (context.req.path.startsWith('/api/')) return context.json({ error: message, hint }, status);
    return context.html(messagePage(message, hint), status);
  });
  return app;
}

const nextOf = (context: Context): string => localPath(context.req.query('next') ?? '/');
