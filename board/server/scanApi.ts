import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { lease, release } from '../../domain/board/leases.js';
import { answerRequestSchema, MAX_REDRAWN_PIXELS, PREFETCHED, type QueueAnswer } from '../../domain/board/protocol.js';
import { queueFilterSchema } from '../../domain/board/queue.js';
import { selectionAnswerSchema, selectionRequestSchema } from '../../domain/board/selection.js';
import { changeLeases, putBoardLabel } from '../../storage/board.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import type { Desks, Opened } from '../desks.js';
import { examplePicture } from '../examples.js';
import { imageOfFinding, labelAsLeft, proposedLabel } from '../labels.js';
import { shownPicture, thumbnail } from '../pictures.js';
import { Selections } from '../selections.js';
import { jsonOf, nameOf, parsed, sessionOf } from './requests.js';
import { progressOf, shownFindings } from './shown.js';

const MAX_JSON = 64 * 1024;
const MAX_COMPRESSED_LABEL = 64 * 2 ** 20;
const MAX_AT_ONCE = 120;
const DAY = 'private, max-age=86400, immutable';
const compress = promisify(gzip);
const inflate = promisify(gunzip);

interface ScanEnv {
  Variables: { opened: Opened };
}

/** What the scripts of the pages ask for, about one scan. */
export function scanApi(desks: Desks, onError: (error: unknown) => void): Hono<ScanEnv> {
  const api = new Hono<ScanEnv>();
  // The scan stays open until the answer is made.
  api.use(async (context, next) => {
    await desks.use(context.req.param('scan') ?? '', (opened) => {
      context.set('opened', opened);
      return next();
    });
  });
  /** The answer is in the store: nobody waits for a batch that it fills. */
  const handInDue = (context: Context, now: Date): void => {
    const scan = context.req.param('scan') ?? '';
    void desks.use(scan, ({ answering }) => answering.handInDue(now)).catch(onError);
  };

  api.get('/queue', async (context) => {
    const { desk } = context.get('opened');
    const reviewer = nameOf(context);
    const session = sessionOf(context);
    const filter = parsed(queueFilterSchema, context.req.query());
    const count = parsed(countSchema, context.req.query('count'));
    await Promise.all([desk.refreshAnswers(), desk.prepare(filter)]);
    const first = context.req.query('first');
    const ids = function* (): Generator<string> {
      if (first !== undefined) yield desk.listed(first).findingId;
      for (const { findingId } of desk.queue(filter, reviewer)) if (findingId !== first) yield findingId;
    };
    const granted = await changeLeases(desk.store, { pool: desk.pool.name, scan: desk.scan.id }, (leases) => {
      const made = lease(leases, { queue: ids(), session, count, now: new Date() });
      return { leases: made.leases, result: made.granted };
    });
    const findings = await shownFindings(
      desk,
      granted.map((id) => desk.listed(id)),
      reviewer,
    );
    const answer: QueueAnswer = { findings, progress: progressOf(desk, filter, reviewer) };
    return context.json(answer);
  });

  api.post('/release', async (context) => {
    const { desk } = context.get('opened');
    const session = sessionOf(context);
    await changeLeases(desk.store, { pool: desk.pool.name, scan: desk.scan.id }, (leases) => ({
      leases: release(leases, session),
      result: null,
    }));
    return context.json({ ok: true });
  });

  api.get('/images/:image', async (context) => {
    const { desk } = context.get('opened');
    const row = await desk.imageOf(context.req.param('image'));
    if (row === null) throw new PartloopError('not-found', 'the pool has no such image');
    return sendPicture(context, await shownPicture(desk, row));
  });

  api.get('/findings/:finding/thumbnail', async (context) => {
    const { desk } = context.get('opened');
    const listed = desk.listed(context.req.param('finding'));
    const [row, [finding]] = await Promise.all([imageOfFinding(desk, listed), desk.wholeFindings([listed.findingId])]);
    if (finding === undefined) throw new PartloopError('not-found', 'the scan has no such finding');
    return sendPicture(context, await thumbnail(desk, row, finding));
  });

  api.get('/examples/:value/:number', async (context) => {
    const { desk } = context.get('opened');
    const value = parsed(valueSchema, context.req.param('value'));
    const row = desk.examplesOf(value)[parsed(valueSchema, context.req.param('number'))];
    if (row === undefined) throw new PartloopError('not-found', 'there is no such example of this class');
    return sendPicture(context, await examplePicture(desk.store, row, value));
  });

  for (const which of ['given', 'proposed'] as const)
    api.get(`/findings/:finding/${which}`, async (context) => {
      const { desk } = context.get('opened');
      const listed = desk.listed(context.req.param('finding'));
      const row = await imageOfFinding(desk, listed);
      const except = listed.findingId;
      const label = await labelAsLeft(desk, row, { reviewer: nameOf(context), except });
      if (which === 'given') return sendLabel(context, label.pixels);
      const [finding] = await desk.wholeFindings([listed.findingId]);
      const proposed = finding === undefined ? null : proposedLabel(label, finding);
      if (proposed === null) throw new PartloopError('not-found', 'this finding proposes no mask');
      return sendLabel(context, proposed);
    });

  api.post('/findings/:finding/drawn', bodyLimit({ maxSize: MAX_COMPRESSED_LABEL }), async (context) => {
    const { desk } = context.get('opened');
    const listed = desk.listed(context.req.param('finding'));
    const row = await imageOfFinding(desk, listed);
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
    const { desk, answering } = context.get('opened');
    const reviewer = nameOf(context);
    const { findingId, verdict, comment, redrawn, activeMs } = parsed(answerRequestSchema, await jsonOf(context));
    if (redrawn !== null && verdict !== 'wrong')
      throw new PartloopError('input-invalid', 'only a label that is wrong can be drawn anew');
    const { imageId } = desk.listed(findingId);
    const now = new Date();
    const isSecond = desk.needsSecond(findingId, reviewer);
    const answer = { findingId, imageId, verdict, comment: comment || null, redrawn, activeMs, isSecond };
    await answering.answer(reviewer, [{ ...answer, answeredAt: now.toISOString() }], now);
    handInDue(context, now);
    return context.json({ ok: true });
  });

  const selections = new Selections();
  api.post('/selections', bodyLimit({ maxSize: MAX_JSON }), async (context) => {
    const { desk } = context.get('opened');
    const { findingIds } = parsed(selectionRequestSchema, await jsonOf(context));
    const listed = [...new Set(findingIds)].map((id) => desk.listed(id));
    const { id, lookAt } = selections.begin(sessionOf(context), listed);
    const findings = await shownFindings(
      desk,
      lookAt.map((one) => desk.listed(one)),
      nameOf(context),
    );
    return context.json({ id, findings });
  });

  api.post('/selections/:selection/answer', bodyLimit({ maxSize: MAX_JSON }), async (context) => {
    const { desk, answering } = context.get('opened');
    const reviewer = nameOf(context);
    const { verdict, seen, activeMs } = parsed(selectionAnswerSchema, await jsonOf(context));
    const { findings } = selections.end(context.req.param('selection'), sessionOf(context), seen);
    const now = new Date();
    const answers = findings.map(({ findingId, imageId }) => ({
      ...{ findingId, imageId, verdict, comment: null, redrawn: null, answeredAt: now.toISOString() },
      activeMs: Math.round(activeMs / findings.length),
      isSecond: desk.needsSecond(findingId, reviewer),
    }));
    await answering.answer(reviewer, answers, now);
    handInDue(context, now);
    return context.json({ answered: answers.length });
  });

  api.post('/undo', async (context) => {
    const { answering } = context.get('opened');
    return context.json({ undone: (await answering.undo(nameOf(context), new Date()))?.findingId ?? null });
  });

  api.post('/hand-in', async (context) => {
    const { answering } = context.get('opened');
    return context.json({ notApplied: await answering.handIn(nameOf(context), new Date()) });
  });
  return api;
}

const valueSchema = z.coerce.number().int().min(0).max(255);
/** How many findings are asked for. */
const countSchema = z.coerce
  .number()
  .int()
  .min(1)
  .max(MAX_AT_ONCE)
  .default(PREFETCHED + 1);

function sendPicture(context: Context, picture: Buffer): Response {
  context.header('Content-Type', 'image/webp');
  context.header('Cache-Control', DAY);
  return context.body(new Uint8Array(picture));
}

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
