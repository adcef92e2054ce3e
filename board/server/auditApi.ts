import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { PartloopError } from '../../domain/base/errors.js';
import { auditRequestSchema, PREFETCHED, type QueueAnswer, type ShownImage } from '../../domain/board/protocol.js';
import { readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel, type LabelMask } from '../../storage/pictures/labelMask.js';
import type { AuditDesk } from '../audit/auditDesk.js';
import type { Desks } from '../desks.js';
import { shownPicture } from '../pictures.js';
import { keepDrawn, MAX_COMPRESSED_LABEL, sendLabel, sendPicture } from './labels.js';
import { leaveAll, takeNext } from './leasing.js';
import { handInDue, type ScanEnv, whileOpen } from './openScan.js';
import { jsonOf, MAX_JSON, nameOf, parsed } from './requests.js';
import { auditProgressOf, shownImages } from './shown.js';

/** What the page of a scan's audit sample asks for. */
export function auditApi(desks: Desks, onError: (error: unknown) => void): Hono<ScanEnv> {
  const api = new Hono<ScanEnv>();
  api.use(whileOpen(desks));
  const openAudit = (context: Context<ScanEnv>): Promise<AuditDesk> => context.get('opened').audit();

  api.get('/queue', async (context) => {
    const audit = await openAudit(context);
    const reviewer = nameOf(context);
    await audit.desk.refreshAnswers();
    const asked = context.req.query('first');
    const first = asked === undefined ? undefined : audit.image(asked).imageId;
    const ids = () => audit.queue(reviewer);
    const granted = await takeNext(context, audit.desk, 'audit', { ids, first, count: PREFETCHED + 1 });
    const answer: QueueAnswer<ShownImage> = {
      items: shownImages(audit, granted, reviewer),
      progress: auditProgressOf(audit, reviewer),
    };
    return context.json(answer);
  });

  api.post('/release', async (context) => {
    const { desk } = context.get('opened');
    await leaveAll(context, desk, 'audit');
    return context.json({ ok: true });
  });

  api.get('/images/:image', async (context) => {
    const audit = await openAudit(context);
    return sendPicture(context, await shownPicture(audit.desk, audit.judgedRow(context.req.param('image'))));
  });

  api.get('/labels/:image/given', async (context) => {
    const audit = await openAudit(context);
    return sendLabel(context, (await judgedLabel(audit, context.req.param('image'))).pixels);
  });

  api.post('/labels/:image/drawn', bodyLimit({ maxSize: MAX_COMPRESSED_LABEL }), async (context) => {
    const audit = await openAudit(context);
    const imageId = context.req.param('image');
    const seen = () => judgedLabel(audit, imageId);
    return context.json(await keepDrawn(context, audit.desk, audit.judgedRow(imageId), seen));
  });

  api.post('/answers', bodyLimit({ maxSize: MAX_JSON }), async (context) => {
    const { answering, audit: opening } = context.get('opened');
    const audit = await opening();
    const request = parsed(auditRequestSchema, await jsonOf(context));
    const { imageId, verdict, comment, redrawn, objectsTo, activeMs } = request;
    if (verdict !== 'wrong' && (redrawn !== null || objectsTo.length > 0))
      throw new PartloopError('input-invalid', 'only a label that is wrong can be drawn anew, or have findings');
    const { labelSha256 } = audit.judgedRow(imageId);
    const now = new Date();
    await answering.answerAudit(
      nameOf(context),
      {
        ...{ imageId, labelSha256, verdict, comment: comment || null, redrawn, objectsTo, activeMs },
        answeredAt: now.toISOString(),
      },
      now,
    );
    handInDue(desks, context, { now, onError });
    return context.json({ ok: true });
  });

  api.post('/undo', async (context) => {
    const { answering } = context.get('opened');
    return context.json({ undone: await answering.undo(nameOf(context), new Date(), 'audit') });
  });

  api.post('/hand-in', async (context) => {
    const { answering } = context.get('opened');
    return context.json({ notApplied: await answering.handIn(nameOf(context), new Date(), 'audit') });
  });
  return api;
}

/** The label that the scan judged, as long as the pool has no other. */
async function judgedLabel(audit: AuditDesk, imageId: string): Promise<LabelMask> {
  const row = audit.judgedRow(imageId);
  return decodeLabel(await readLabel(audit.desk.store, row), `label of ${row.fileName}`);
}
