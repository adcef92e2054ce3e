import { median } from '../../domain/base/median.js';
import { standingAudits } from '../../domain/board/auditQueue.js';
import { type Batch, standingAnswers } from '../../domain/board/batch.js';
import { kindSentence } from '../../domain/board/kindSentences.js';
import type { Progress, ShownFinding, ShownImage } from '../../domain/board/protocol.js';
import type { QueueFilter } from '../../domain/board/queue.js';
import { suggestionOf } from '../../domain/review/correction.js';
import { tagWords } from '../../domain/tagWords.js';
import type { AuditDesk } from '../audit/auditDesk.js';
import type { ListedFinding, ScanDesk } from '../scanDesk.js';

/** Findings as the page shows them; those of images that are gone are left out. */
export async function shownFindings(
  desk: ScanDesk,
  listed: readonly ListedFinding[],
  reviewer: string,
): Promise<ShownFinding[]> {
  const whole = await desk.wholeFindings(listed.map(({ findingId }) => findingId));
  const rows = new Map(whole.map((row) => [row.findingId, row]));
  return listed.flatMap((finding) => {
    const { findingId, imageId, fileName, kind, classId, suggestedClassId, pWrong, x0, y0, x1, y1, tags } = finding;
    const image = desk.rowOf(imageId);
    const row = rows.get(findingId);
    if (image === null || row === undefined) return [];
    // A second opinion is of use only without the first.
    const known = desk.needsSecond(findingId, reviewer) ? null : desk.answerTo(findingId);
    const nameOf = (value: number): string => (desk.names[value] ?? String(value)).replaceAll('_', ' ');
    const shown = suggestedClassId !== null && suggestedClassId !== 0 ? suggestedClassId : classId;
    return {
      ...{ id: findingId, imageId, fileName, kind: kind.replaceAll('_', ' '), pWrong },
      sentence: kindSentence(finding, desk.names),
      given: { value: classId, name: nameOf(classId) },
      proposed: suggestedClassId === null ? null : { value: suggestedClassId, name: nameOf(suggestedClassId) },
      box: { x0, y0, x1, y1 },
      ...{ width: image.width, height: image.height },
      tags: tags === null ? '' : tagWords(tags),
      hasProposal: suggestionOf(row) !== null,
      examples: { value: shown, name: nameOf(shown), count: desk.exampleCount(shown) },
      isStale: image.labelSha256 !== finding.labelSha256,
      answer: known === null ? null : { verdict: known.verdict, comment: known.comment },
    };
  });
}

/** How far a review is, for one reviewer and one filter. */
export function progressOf(desk: ScanDesk, filter: QueueFilter, reviewer: string): Progress {
  let matching = 0;
  let answered = 0;
  for (const { findingId } of desk.queue({ ...filter, answers: 'all' })) {
    matching++;
    if (desk.answerTo(findingId) !== null) answered++;
  }
  const own = standingAnswers(desk.batches).filter(({ batch }) => batch.reviewer === reviewer);
  return {
    ...{ matching, answered },
    ...paceOf(
      own.map(({ batch, answer }) => ({ ...answer, state: batch.state })),
      matching - answered,
    ),
  };
}

/** Images of the audit sample as their page shows them; those with another label by now are left out. */
export function shownImages(audit: AuditDesk, imageIds: readonly string[], reviewer: string): ShownImage[] {
  const { desk } = audit;
  return imageIds.flatMap((imageId) => {
    const row = audit.openRow(imageId);
    if (row === null) return [];
    const { fileName, width, height } = row;
    const known = standingAudits(desk.batches).findLast(
      ({ batch, audit: one }) => one.imageId === imageId && batch.reviewer === reviewer,
    );
    return {
      ...{ id: imageId, imageId, fileName, box: null, width, height, tags: tagWords(row) },
      ...{ given: null, proposed: null, hasProposal: false },
      answer: known === undefined ? null : { verdict: known.audit.verdict, comment: known.audit.comment ?? '' },
      findings: audit.judged([imageId]).findings.map((finding) => ({
        findingId: finding.findingId,
        sentence: kindSentence(finding, desk.names),
        box: { x0: finding.x0, y0: finding.y0, x1: finding.x1, y1: finding.y1 },
      })),
    };
  });
}

/** How far the review of an audit sample is. */
export function auditProgressOf(audit: AuditDesk, reviewer: string): Progress {
  const open = [...audit.queue(null)].length;
  const mine = [...audit.queue(reviewer)].length;
  const own = standingAudits(audit.desk.batches).filter(({ batch }) => batch.reviewer === reviewer);
  return {
    ...{ matching: audit.size, answered: audit.size - open },
    ...paceOf(
      own.map(({ batch, audit: answer }) => ({ ...answer, state: batch.state })),
      mine,
    ),
  };
}

/** @param left what is left to answer */
function paceOf(
  own: readonly { activeMs: number; state: Batch['state'] }[],
  left: number,
): Pick<Progress, 'own' | 'waiting' | 'secondsPerAnswer' | 'hoursLeft'> {
  const seconds = median(own.map(({ activeMs }) => activeMs / 1_000));
  return {
    own: own.length,
    waiting: own.filter(({ state }) => state === 'open').length,
    secondsPerAnswer: seconds,
    hoursLeft: seconds === null ? null : (seconds * left) / 3_600,
  };
}
