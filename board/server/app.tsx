import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import type { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES } from '../../domain/base/failures/failure.js';
import { boardReviewerSchema } from '../../domain/board/batch.js';
import { lease, sessionIdSchema } from '../../domain/board/leases.js';
import {
  answerRequestSchema,
  MAX_REDRAWN_PIXELS,
  PREFETCHED,
  type QueueAnswer,
  SHOWN_SIDE,
} from '../../domain/board/protocol.js';
import { queueFilterSchema } from '../../domain/board/queue.js';
import { changeLeases, putBoardLabel } from '../../storage/board.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readImage } from '../../storage/pictures/imageSource.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { openPicture } from '../../storage/pictures/picture.js';
import type { Desks, Opened } from '../desks.js';
import { labelAsLeft, proposedLabel, rowOfFinding } from '../labels.js';
import { homePage } from '../pages/home.js';
import { messagePage } from '../pages/message.js';
import { namePage } from '../pages/name.js';
import { reviewPage } from '../pages/review.js';
import { scansOf } from '../scans.js';
import { type Access, localPath, reviewerOf, setReviewerName } from './access.js';
import { progressOf, shownFindings } from './shown.js';

const MAX_JSON = 64 * 1024;
const MAX_COMPRESSED_LABEL = 64 * 2 ** 20;
const QUALITY = 85;
const compress = promisify(gzip);
const inflate = promisify(gunzip);

export interface BoardOptions {
  store: ObjectStore;
  desks: Desks;
  access: Access;
  /** Folder of the bundled client: `main.js`, `board.css`. */
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
  app.get('/assets/:file{main\\.js|board\\.css}', async (context) => {
    const file = context.req.param('file');
    context.header('Content-Type', file.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8');
    context.header('Cache-Control', 'no-cache');
    return context.body(new Uint8Array(await readFile(join(assets, file))));
  });

  app.get('/', async (context) => context.html(homePage(await scansOf(store), reviewerOf(context).name)));
  app.get('/name', (context) =>
    context.html(namePage({ name: reviewerOf(context).name ?? '', next: nextOf(context) })),
  );
  app.post('/name', bodyLimit({ maxSize: MAX_JSON }), async (context) => {
    const form = await context.req.parseBody();
    const next = localPath(String(form.next ?? '/'));
    const name = boardReviewerSchema.safeParse(form.name);
    if (!name.success)
      return context.html(namePage({ name: '', next, problem: name.error.issues[0]?.message ?? '' }), 400);
    setReviewerName(context, name.data);
    return context.redirect(next, 303);
  });
  app.get('/review/:scan', async (context) => {
    const { name } = reviewerOf(context);
    const filter = parsed(queueFilterSchema, context.req.query());
    if (name === null) return context.redirect(`/name?next=${encodeURIComponent(pathOf(context))}`, 303);
    const { desk } = await desks.of(context.req.param('scan'));
    return context.html(reviewPage({ desk, filter, reviewer: name }));
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

/** What the review page's script asks for. */
function scanApi(desks: Desks): Hono {
  const api = new Hono();
  const open = (context: Context): Promise<Opened> => desks.of(context.req.param('scan') ?? '');

  api.get('/queue', async (context) => {
    const { desk } = await open(context);
    const reviewer = nameOf(context);
    const session = parsed(sessionIdSchema, context.req.header('x-partloop-session') ?? '');
    const filter = parsed(queueFilterSchema, context.req.query());
    await desk.refreshAnswers();
    const first = context.req.query('first');
    const ids = function* (): Generator<string> {
      if (first !== undefined) yield desk.listed(first).findingId;
      for (const { findingId } of desk.queue(filter)) if (findingId !== first) yield findingId;
    };
    const granted = await changeLeases(desk.store, { pool: desk.pool.name, scan: desk.scan.id }, (leases) => {
      const made = lease(leases, { queue: ids(), session, count: PREFETCHED + 1, now: new Date() });
      return { leases: made.leases, result: made.granted };
    });
    const findings = await shownFindings(
      desk,
      granted.map((id) => desk.listed(id)),
    );
    const answer: QueueAnswer = { findings, progress: progressOf(desk, filter, reviewer) };
    return context.json(answer);
  });

  api.get('/images/:image', async (context) => {
    const { desk } = await open(context);
    const row = desk.rowOf(context.req.param('image'));
    if (row === null) throw new PartloopError('not-found', 'the pool has no such image');
    const side = context.req.query('side') === 'small' ? SMALL_SIDE : SHOWN_SIDE;
    const { pixels } = await openPicture(await readImage(desk.store, row));
    const picture = await pixels
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: QUALITY, effort: 1 })
      .toBuffer();
    context.header('Content-Type', 'image/webp');
    context.header('Cache-Control', 'private, max-age=86400, immutable');
    return context.body(new Uint8Array(picture));
  });

  for (const which of ['given', 'proposed'] as const)
    api.get(`/findings/:finding/${which}`, async (context) => {
      const { desk } = await open(context);
      const listed = desk.listed(context.req.param('finding'));
      const row = rowOfFinding(desk, listed);
      const except = listed.findingId;
      const label = await labelAsLeft(desk, row, { reviewer: nameOf(context), except });
      if (which === 'given') return sendLabel(context, label.pixels);
      const [finding] = await desk.wholeFindings([listed.findingId]);
      const proposed = finding === undefined ? null : proposedLabel(label, finding);
      if (proposed === null) throw new PartloopError('not-found', 'this finding proposes no mask');
      return sendLabel(context, proposed);
    });

  api.post('/findings/:finding/drawn', bodyLimit({ maxSize: MAX_COMPRESSED_LABEL }), async (context) => {
    const { desk } = await open(context);
    const listed = desk.listed(context.req.param('finding'));
    const row = rowOfFinding(desk, listed);
    const { width, height } = row;
    const size = width * height;
    if (size > MAX_REDRAWN_PIXELS) throw new PartloopError('input-invalid', 'this label is too large to draw on here');
    const label = await labelAsLeft(desk, row, { reviewer: nameOf(context), except: listed.findingId });
    if (digestOf(label.pixels) !== context.req.header('x-partloop-seen'))
      throw new PartloopError('data-changed', 'the label changed while you drew on it', {
        hint: 'Open the finding again: the page keeps nothing of the drawing.',
      });
    const body = Buffer.from(await context.req.arrayBuffer());
    const drawn = await inflate(body, { maxOutputLength: size }).catch((cause: unknown) => {
      throw new PartloopError('input-invalid', 'the drawn label cannot be read', { cause });
    });
    checkValues(drawn, size, desk.names.length);
    const put = async (pixels: Uint8Array): Promise<string> =>
      putBoardLabel(desk.store, desk.pool.name, await encodeLabel(pixels, width, height));
    return context.json({ seen: await put(label.pixels), drawn: await put(drawn) });
  });

  api.post('/answers', bodyLimit({ maxSize: MAX_JSON }), async (context) => {
    const { desk, answering } = await open(context);
    const reviewer = nameOf(context);
    const { findingId, verdict, comment, redrawn, activeMs } = parsed(answerRequestSchema, await jsonOf(context));
    if (redrawn !== null && verdict !== 'wrong')
      throw new PartloopError('input-invalid', 'only a label that is wrong can be drawn anew');
    const { imageId } = desk.listed(findingId);
    const now = new Date();
    const answer = { findingId, imageId, verdict, comment: comment || null, redrawn, activeMs };
    await answering.answer(reviewer, { ...answer, answeredAt: now.toISOString() }, now);
    await answering.handInDue(now);
    return context.json({ ok: true });
  });

  api.post('/undo', async (context) => {
    const { answering } = await open(context);
    return context.json({ undone: (await answering.undo(nameOf(context), new Date()))?.findingId ?? null });
  });

  api.post('/hand-in', async (context) => {
    const { answering } = await open(context);
    return context.json({ notApplied: await answering.handIn(nameOf(context), new Date()) });
  });
  return api;
}

const SMALL_SIDE = 320;

const digestOf = (pixels: Uint8Array): string => createHash('sha256').update(pixels).digest('hex');

/** Values of a label row by row, one byte each. */
async function sendLabel(context: Context, pixels: Uint8Array): Promise<Response> {
  context.header('Content-Type', 'application/octet-stream');
  context.header('Content-Encoding', 'gzip');
  context.header('Cache-Control', 'no-store');
  context.header('X-Partloop-Digest', digestOf(pixels));
  return context.body(new Uint8Array(await compress(pixels, { level: 1 })));
}

/** @param classes number of label values with background */
function checkValues(pixels: Uint8Array, size: number, classes: number): void {
  if (pixels.length !== size)
    throw new PartloopError('input-invalid', `the drawn label has ${pixels.length} pixels, not ${size}`);
  for (const value of pixels)
    if (value >= classes && value !== 255)
      throw new PartloopError('input-invalid', `the drawn label has value ${value}, which is no class`);
}

function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new PartloopError('input-invalid', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

/** null for a body that is no JSON, which no schema takes. */
const jsonOf = (context: Context): Promise<unknown> => context.req.json<unknown>().catch(() => null);

function nameOf(context: Context): string {
  const { name } = reviewerOf(context);
  if (name !== null) return name;
  throw new PartloopError('input-invalid', 'nobody is known at this screen', { hint: 'Give your name at /name.' });
}

const pathOf = ({ req }: Context): string => req.url.slice(new URL(req.url).origin.length);
const nextOf = (context: Context): string => localPath(context.req.query('next') ?? '/');

type Status = 400 | 404 | 409 | 500 | 503;
const STATUS: Readonly<Record<number, Status>> = { 2: 400, 3: 404, 4: 409, 6: 503 };

function faultOf(error: unknown): { status: Status; message: string; hint: string } {
  if (!(error instanceof PartloopError)) return { status: 500, message: 'the board has a fault', hint: '' };
  return { status: STATUS[FAILURES[error.code].exitCode] ?? 500, message: error.message, hint: error.hint ?? '' };
}
