import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { answerRequestSchema, PREFETCHED, type QueueAnswer } from '../../domain/board/protocol.js';
import { queueFilterSchema } from '../../domain/board/queue.js';
import { selectionAnswerSchema, selectionRequestSchema } from '../../domain/board/selection.js';
import type { FindingRow } from '../../domain/tables.js';
import type { LabelMask } from '../../storage/pictures/labelMask.js';
import type { Desks } from '../desks.js';
import { examplePicture } from '../examples.js';
import { shownIds } from '../findingQueue.js';
import type { ListedFinding } from '../findingTable.js';
import { imageOfFinding, labelAsLeft, proposedLabel } from '../labels.js';
import { shownPicture, thumbnail } from '../pictures.js';
import type { ScanDesk } from '../scanDesk.js';
import { Selections } from '../selections.js';
import { digestOf, keepDrawn, MAX_COMPRESSED_LABEL, sendLabel, sendPicture } from './labels.js';
import { leaveAll, takeNext } from './leasing.js';
import { handInDue, type ScanEnv, whileOpen } from './openScan.js';
import { jsonOf, MAX_JSON, nameOf, parsed, sessionOf } from './requests.js';
import { progressOf, shownFindings } from './shown.js';

const MAX_AT_ONCE = 120;

/** What the scripts of the pages ask for, about one scan. */
export function scanApi(desks: Desks, onError: (error: unknown) => void): Hono<ScanEnv> {
  const api = new Hono<ScanEnv>();
  api.use(whileOpen(desks));

  api.get('/queue', async (context) => {
    const { desk } = context.get('opened');
    const reviewer = nameOf(context);
    const filter = parsed(queueFilterSchema, context.req.query());
    const count = parsed(countSchema, context.req.query('count'));
    const isMany = count !== undefined;
    await Promise.all([desk.refreshAnswers(), desk.prepare(filter)]);
    const first = context.req.query('first');
    if (first !== undefined && desk.plants.find(first, reviewer) === null) desk.listed(first);
    // Who answers many at once sees small pictures of them, which tell too little of a known error.
    const ids = (): Iterable<string> =>
      isMany ? findingIds(desk.queue(filter, reviewer)) : shownIds(desk, filter, reviewer);
    const granted = await takeNext(context, desk, 'findings', { ids, first, count: count ?? PREFETCHED + 1 });
    const items = await shownFindings(desk, granted, reviewer);
    const answer: QueueAnswer = { items, progress: progressOf(desk, filter, reviewer) };
    return context.json(answer);
  });

  api.post('/release', async (context) => {
    const { desk } = context.get('opened');
    await leaveAll(context, desk, 'findings');
    return context.json({ ok: true });
  });

  api.get('/images/:image', async (context) => {
    const { desk } = context.get('opened');
    const imageId = context.req.param('image');
    const row = desk.plants.rowOf(imageId) ?? (await desk.imageOf(imageId));
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
      const id = context.req.param('finding');
      const { label, finding } = await labelOfItem(desk, id, nameOf(context));
      if (which === 'given') return sendLabel(context, label.pixels);
      const proposed = finding === undefined ? null : proposedLabel(label, finding);
      if (proposed === null) throw new PartloopError('not-found', 'this finding proposes no mask');
      return sendLabel(context, proposed);
    });

  api.post('/findings/:finding/drawn', bodyLimit({ maxSize: MAX_COMPRESSED_LABEL }), async (context) => {
    const { desk } = context.get('opened');
    const [id, reviewer] = [context.req.param('finding'), nameOf(context)];
    const { label } = await labelOfItem(desk, id, reviewer);
    const isPlanted = desk.plants.find(id, reviewer) !== null;
    // Nothing of a known error is stored but the answer.
    const keep = isPlanted ? async (png: Uint8Array): Promise<string> => digestOf(png) : undefined;
    return context.json(await keepDrawn(context, desk, label, async () => label, keep));
  });

  api.post('/answers', bodyLimit({ maxSize: MAX_JSON }), async (context) => {
    const { desk, answering } = context.get('opened');
    const reviewer = nameOf(context);
    const { findingId, verdict, comment, redrawn, activeMs } = parsed(answerRequestSchema, await jsonOf(context));
    if (redrawn !== null && verdict !== 'wrong')
      throw new PartloopError('input-invalid', 'only a label that is wrong can be drawn anew');
    const now = new Date();
    const planted = desk.plants.find(findingId, reviewer);
    if (planted !== null) {
      const answer = { plantedId: planted.id, verdict, activeMs, answeredAt: now.toISOString() };
      await answering.answerPlanted(reviewer, answer, now);
      return context.json({ ok: true });
    }
    const { imageId } = desk.listed(findingId);
    const isSecond = desk.needsSecond(findingId, reviewer);
    const answer = { findingId, imageId, verdict, comment: comment || null, redrawn, activeMs, isSecond };
    await answering.answer(reviewer, [{ ...answer, answeredAt: now.toISOString() }], now);
    handInDue(desks, context, { now, onError });
    return context.json({ ok: true });
  });

  const selections = new Selections();
  api.post('/selections', bodyLimit({ maxSize: MAX_JSON }), async (context) => {
    const { desk } = context.get('opened');
    const { findingIds } = parsed(selectionRequestSchema, await jsonOf(context));
    const listed = [...new Set(findingIds)].map((id) => desk.listed(id));
    const { id, lookAt } = selections.begin(sessionOf(context), listed);
    const findings = await shownFindings(desk, lookAt, nameOf(context));
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
    handInDue(desks, context, { now, onError });
    return context.json({ answered: answers.length });
  });

  api.post('/undo', async (context) => {
    const { answering } = context.get('opened');
    return context.json({ undone: await answering.undo(nameOf(context), new Date()) });
  });

  api.post('/hand-in', async (context) => {
    const { answering } = context.get('opened');
    return context.json({ notApplied: await answering.handIn(nameOf(context), new Date()) });
  });
  return api;
}

/** The label of a finding, or of a known error, as the reviewer sees it. */
async function labelOfItem(
  desk: ScanDesk,
  id: string,
  reviewer: string,
): Promise<{ label: LabelMask; finding: FindingRow | undefined }> {
  const planted = desk.plants.find(id, reviewer);
  if (planted !== null) return desk.plants.labelOf(planted);
  const listed = desk.listed(id);
  const [finding] = await desk.wholeFindings([id]);
  const image = await imageOfFinding(desk, listed);
  return { label: await labelAsLeft(desk, image, { reviewer, except: id }), finding };
}

function* findingIds(findings: Iterable<ListedFinding>): Generator<string> {
  for (const { findingId } of findings) yield findingId;
}

const valueSchema = z.coerce.number().int().min(0).max(255);
/** How many findings are asked for; a page that shows one at a time says nothing. */
const countSchema = z.coerce.number().int().min(1).max(MAX_AT_ONCE).optional();
