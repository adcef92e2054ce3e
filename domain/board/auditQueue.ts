import type { AuditAnswer } from '../review/auditAnswers.js';
import type { AuditGiven, Batch } from './batch.js';

/** What decides which images of an audit sample are open. */
export interface AuditState {
  /** Image id -> the label that the scan judged, in the order of the queue. */
  sample: ReadonlyMap<string, string>;
  /** The label that the pool has now; undefined if the image was removed. */
  labelNow(imageId: string): string | undefined;
  /** Answers of imports. */
  audits: readonly Pick<AuditAnswer, 'imageId' | 'labelSha256'>[];
  /** All batches of the pool: an answer holds for its label, whichever scan asked. */
  batches: readonly Batch[];
}

/** Answers on the board to audit samples that count, whether handed in or not. */
export const standingAudits = (batches: readonly Batch[]): { batch: Batch; audit: AuditGiven }[] =>
  batches
    .filter(({ state }) => state !== 'replaced')
    .flatMap((batch) => batch.audits.map((audit) => ({ batch, audit })));

/**
 * Images that nobody said to be right or wrong, with the label that was drawn, and without those whose label an answer
 * is about to change. A reviewer who is unsure does not get the image again: somebody else may know.
 */
export function* openImages(
  { sample, labelNow, audits, batches }: AuditState,
  reviewer: string | null,
): Generator<string> {
  const settled = new Set(audits.map(keyOf));
  const unsure = new Set<string>();
  for (const { batch, audit } of standingAudits(batches)) {
    if (audit.verdict !== 'unsure') settled.add(keyOf(audit));
    else if (batch.reviewer === reviewer) unsure.add(keyOf(audit));
  }
  const changing = imagesAboutToChange(batches);
  for (const [imageId, labelSha256] of sample) {
    const key = keyOf({ imageId, labelSha256 });
    if (labelNow(imageId) !== labelSha256 || settled.has(key)) continue;
    if (!unsure.has(key) && !changing.has(imageId)) yield imageId;
  }
}

function imagesAboutToChange(batches: readonly Batch[]): Set<string> {
  const waiting = batches.filter(({ state }) => state === 'open' || state === 'closing');
  return new Set(
    waiting.flatMap(({ answers }) =>
      answers.flatMap(({ imageId, isSecond, verdict, redrawn }) =>
        !isSecond && (verdict === 'accept' || redrawn !== null) ? imageId : [],
      ),
    ),
  );
}

const keyOf = ({ imageId, labelSha256 }: Pick<AuditAnswer, 'imageId' | 'labelSha256'>): string =>
  `${imageId} ${labelSha256}`;
