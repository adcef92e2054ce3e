import type { Batch } from '../../domain/board/batch.js';
import { type GivenAudit, takeAudits } from '../../pool/review/takeAudits.js';
import { readDrawn } from '../drawn.js';
import { exportOf, type HandedIn, reviewOf } from '../handedIn.js';
import type { AuditDesk } from './auditDesk.js';

/** Hand in answers to an audit sample. `unsure` says nothing of a label, so it is handed in nowhere. */
export async function handInAudit(audit: AuditDesk, batch: Batch, now: Date): Promise<HandedIn> {
  const { desk } = audit;
  const answers: GivenAudit[] = [];
  for (const { imageId, verdict, redrawn, objectsTo, comment, answeredAt } of batch.audits) {
    if (verdict === 'unsure') continue;
    const drawn = redrawn === null ? null : (await readDrawn(desk, redrawn)).drawn;
    answers.push({ imageId, wrong: verdict === 'wrong', drawn, objectsTo, comment, answeredAt });
  }
  if (answers.length === 0) return { recorded: { review: null, revised: 0 }, notApplied: [] };
  const { recorded, notApplied } = await takeAudits(desk.store, desk.pool, {
    ...{ id: reviewOf(batch), exportId: exportOf(batch), scan: desk.scan.id, reviewer: batch.reviewer, answers, now },
    judged: audit.judged(answers.map(({ imageId }) => imageId)),
  });
  return {
    recorded,
    notApplied: notApplied.map(({ imageId, reason }) => ({ fileName: audit.image(imageId).fileName, reason })),
  };
}
