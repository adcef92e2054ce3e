import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { boardReviewerSchema } from '../../domain/board/batch.js';
import { queueFilterSchema } from '../../domain/board/queue.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Desks } from '../desks.js';
import { gridPage } from '../pages/grid.js';
import { homePage } from '../pages/home.js';
import { messagePage } from '../pages/message.js';
import { namePage } from '../pages/name.js';
import { reviewPage } from '../pages/review.js';
import { scansOf } from '../scans.js';
import { type Access, localPath, reviewerOf, setReviewerName } from './access.js';
import { faultOf, parsed } from './requests.js';
import { scanApi } from './scanApi.js';

const MAX_FORM = 64 * 1024;

export interface BoardOptions {
  store: ObjectStore;
  desks: Desks;
  access: Access;
  /** Folder of the bundled client: scripts and the style sheet. */
  assets: string;
}

/** The board as an application: pages rendered here, and what their script asks for. */
export function boardApp({ store, desks, access, assets }: BoardOptions): Hono {
  const app = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        ...{ defaultSrc: ["'none'"], scriptSrc: ["'self'"], styleSrc: ["'self'"], connectSrc: ["'self'"] },
        ...{ imgSrc: ["'self'", 'blob:'], formAction: ["'self'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
      },
      referrerPolicy: 'same-origin',
    }),
  );
  app.use(access.guard);
  app.get('/enter', access.enter);
  app.get('/assets/:file{(?:review|grid)\\.js|board\\.css}', async (context) => {
    const file = context.req.param('file');
    context.header('Content-Type', file.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8');
    context.header('Cache-Control', 'no-cache');
    return context.body(new Uint8Array(await readFile(join(assets, file))));
  });

  app.get('/', async (context) => context.html(homePage(await scansOf(store), reviewerOf(context).name)));
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

  app.route('/api/scans/:scan', scanApi(desks));
  app.notFound((context) => context.html(messagePage('There is no such page', 'The address may be mistyped.'), 404));
  app.onError((error, context) => {
    const { status, message, hint } = faultOf(error);
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
