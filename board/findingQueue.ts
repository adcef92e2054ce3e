import type { PlantedAnswer } from '../domain/board/batch.js';
import { matches, type QueueFilter } from '../domain/board/queue.js';
import type { ScanDesk } from './scanDesk.js';

/** A reviewer's answers to known errors that count, whether their batch was handed in or not. */
export const plantedAnswers = ({ batches }: ScanDesk, reviewer: string): PlantedAnswer[] =>
  batches
    .filter((batch) => batch.reviewer === reviewer && batch.state !== 'replaced')
    .flatMap(({ planted }) => planted);

/**
 * Ids of what a reviewer is shown, in the filter's order: findings, and among open ones the known errors, each after
 * the finding that it looks like. It stays there after that finding was answered by the same reviewer. A filter by tag
 * has no known errors: their images have other tags.
 */
export function* shownIds(desk: ScanDesk, filter: QueueFilter, reviewer: string): Generator<string> {
  if (!hasPlanted(filter)) {
    for (const { findingId } of desk.queue(filter, reviewer)) yield findingId;
    return;
  }
  const done = new Set(plantedAnswers(desk, reviewer).map(({ plantedId }) => plantedId));
  for (const finding of desk.queue({ ...filter, answers: 'all' })) {
    const { findingId } = finding;
    if (desk.isOpen(findingId, reviewer)) yield findingId;
    if (!isReached(desk, findingId, reviewer)) continue;
    const planted = desk.plants.after(finding, reviewer);
    if (planted !== null && !done.has(planted.id)) yield planted.id;
  }
}

const hasPlanted = ({ answers, tag, reviewer }: QueueFilter): boolean =>
  answers === 'open' && tag === undefined && reviewer === undefined;

/** True for a finding that a reviewer is shown, or has answered. */
const isReached = (desk: ScanDesk, findingId: string, reviewer: string): boolean =>
  desk.isOpen(findingId, reviewer) || desk.firstOnBoard(findingId) === reviewer;

/** Known errors of a filter that count as findings in what a reviewer reads of the progress: all, and answered ones. */
export function plantedProgress(
  desk: ScanDesk,
  filter: QueueFilter,
  reviewer: string,
): { matching: number; answered: number } {
  const done = new Set(plantedAnswers(desk, reviewer).map(({ plantedId }) => plantedId));
  let [answered, open] = [0, 0];
  for (const { id, like } of desk.plants.all(reviewer)) {
    if (!matches(like, null, filter)) continue;
    if (done.has(id)) answered++;
    else if (
      hasPlanted(filter) &&
      isReached(desk, like.findingId, reviewer) &&
      desk.plants.after(like, reviewer) !== null
    )
      open++;
  }
  return { matching: answered + open, answered };
}
