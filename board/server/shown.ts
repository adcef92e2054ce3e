import { median } from '../../domain/base/median.js';
import { standingAudits } from '../../domain/board/auditQueue.js';
import type { Batch } from '../../domain/board/batch.js';
import { kindSentence } from '../../domain/board/kindSentences.js';
import type { Progress, ShownFinding, ShownImage } from '../../domain/board/protocol.js';
import type { QueueFilter } from '../../domain/board/queue.js';
import { suggestionOf } from '../../domain/review/correction.js';
import type { FindingRow } from '../../domain/tables.js';
import { tagWords } from '../../domain/tagWords.js';
import type { ShownImage as PoolImage } from '../../storage/pool/shownImages.js';
import type { AuditDesk } from '../audit/auditDesk.js';
import { plantedAnswers, plantedProgress } from '../findingQueue.js';
import type { Planted } from '../planted.js';
import type { ScanDesk } from '../scanDesk.js';

/** Findings and known errors as the page shows them, in this order; those of images that are gone are left out. */
export async function shownFindings(desk: ScanDesk, ids: readonly string[], reviewer: string): Promise<ShownFinding[]> {
  const rows = new Map((await desk.wholeFindings(ids)).map((row) => [row.findingId, row]));
  const images = await desk.imagesOf([...rows.values()].map(({ imageId }) => imageId));
  const shown = await Promise.all(
    ids.map((id) => {
      const planted = desk.plants.find(id, reviewer);
      if (planted !== null) return shownPlanted(desk, planted, reviewer);
      const finding = rows.get(id);
      const image = finding === undefined ? undefined : images.get(finding.imageId);
      return finding === undefined || image === undefined ? null : shownFinding(desk, { finding, image }, reviewer);
    }),
  );
  return shown.filter((item) => item !== null);
}

interface OnImage {
  finding: FindingRow;
  image: PoolImage;
}

function shownFinding(desk: ScanDesk, shown: OnImage, reviewer: string): ShownFinding {
  const { findingId } = shown.finding;
  // A second opinion is of use only without the first.
  const known = desk.needsSecond(findingId, reviewer) ? null : desk.answerTo(findingId);
  return described(desk, shown, known);
}

async function shownPlanted(desk: ScanDesk, planted: Planted, reviewer: string): Promise<ShownFinding | null> {
  const made = await desk.plants.made(planted);
  const known = plantedAnswers(desk, reviewer).find(({ plantedId }) => plantedId === planted.id);
  return made === null
    ? null
    : described(desk, { ...made, image: made.row }, known === undefined ? null : { ...known, comment: '' });
}

function described(
  desk: ScanDesk,
  { finding, image }: OnImage,
  known: { verdict: string; comment: string } | null,
): ShownFinding {
  const { findingId, imageId, fileName, kind, classId, suggestedClassId, pWrong, x0, y0, x1, y1 } = finding;
  const nameOf = (value: number): string => (desk.names[value] ?? String(value)).replaceAll('_', ' ');
  const shown = suggestedClassId !== null && suggestedClassId !== 0 ? suggestedClassId : classId;
  return {
    ...{ id: findingId, imageId, fileName, kind: kind.replaceAll('_', ' '), pWrong },
    sentence: kindSentence(finding, desk.names),
    given: { value: classId, name: nameOf(classId) },
    proposed: suggestedClassId === null ? null : { value: suggestedClassId, name: nameOf(suggestedClassId) },
    box: { x0, y0, x1, y1 },
    ...{ width: image.width, height: image.height },
    tags: tagWords(image),
    hasProposal: suggestionOf(finding) !== null,
    examples: { value: shown, name: nameOf(shown), count: desk.exampleCount(shown) },
    isStale: image.labelSha256 !== finding.labelSha256,
    answer: known === null ? null : { verdict: known.verdict, comment: known.comment },
  };
}

/** How far a review is, for one reviewer and one filter. Known errors count as findings, so that none stands out. */
export function progressOf(desk: ScanDesk, filter: QueueFilter, reviewer: string): Progress {
  const planted = plantedProgress(desk, filter, reviewer);
  const own = desk.countOf(filter);
  const [matching, answered] = [planted.matching + own.matching, planted.answered + own.answered];
  const given = desk.batches
    .filter((batch) => batch.reviewer === reviewer && batch.state !== 'replaced')
    .flatMap(({ state, answers, planted: known }) =>
      [...answers.filter(({ isSecond }) => !isSecond), ...known].map(({ activeMs }) => ({ activeMs, state })),
    );
  return { ...{ matching, answered }, ...paceOf(given, matching - answered) };
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
