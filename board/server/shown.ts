import { median } from '../../domain/base/median.js';
import { standingAnswers } from '../../domain/board/batch.js';
import { kindSentence } from '../../domain/board/kindSentences.js';
import type { Progress, ShownFinding } from '../../domain/board/protocol.js';
import type { QueueFilter } from '../../domain/board/queue.js';
import { suggestionOf } from '../../domain/review/correction.js';
import { tagWords } from '../../domain/tagWords.js';
import type { ListedFinding } from '../findingTable.js';
import type { ScanDesk } from '../scanDesk.js';

/** Findings as the page shows them; those of images that are gone are left out. */
export async function shownFindings(
  desk: ScanDesk,
  listed: readonly ListedFinding[],
  reviewer: string,
): Promise<ShownFinding[]> {
  const whole = await desk.wholeFindings(listed.map(({ findingId }) => findingId));
  const images = await desk.imagesOf(listed.map(({ imageId }) => imageId));
  return whole.flatMap((finding) => {
    const { findingId, imageId, fileName, kind, classId, suggestedClassId, pWrong, x0, y0, x1, y1 } = finding;
    const image = images.get(imageId);
    if (image === undefined) return [];
    // A second opinion is of use only without the first.
    const known = desk.needsSecond(findingId, reviewer) ? null : desk.answerTo(findingId);
    const nameOf = (value: number): string => (desk.names[value] ?? String(value)).replaceAll('_', ' ');
    const shown = suggestedClassId !== null && suggestedClassId !== 0 ? suggestedClassId : classId;
    return {
      ...{ findingId, imageId, fileName, kind: kind.replaceAll('_', ' '), pWrong },
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
  });
}

/** How far a review is, for one reviewer and one filter. */
export function progressOf(desk: ScanDesk, filter: QueueFilter, reviewer: string): Progress {
  const { matching, answered } = desk.countOf(filter);
  const own = standingAnswers(desk.batches).filter(({ batch }) => batch.reviewer === reviewer);
  const seconds = median(own.map(({ answer }) => answer.activeMs / 1_000));
  return {
    ...{ matching, answered, own: own.length },
    waiting: own.filter(({ batch }) => batch.state === 'open').length,
    secondsPerAnswer: seconds,
    hoursLeft: seconds === null ? null : (seconds * (matching - answered)) / 3_600,
  };
}
