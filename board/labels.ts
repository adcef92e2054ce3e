import { PartloopError } from '../domain/base/errors.js';
import { applySuggestion, suggestionOf } from '../domain/review/correction.js';
import type { FindingRow } from '../domain/tables.js';
import { withAnswers } from '../pool/review/paint.js';
import { readLabel } from '../storage/pictures/imageSource.js';
import { decodeLabel, type LabelMask } from '../storage/pictures/labelMask.js';
import type { ShownImage } from '../storage/pool/shownImages.js';
import { readDrawn } from './drawn.js';
import type { ListedFinding } from './findingTable.js';
import type { ScanDesk } from './scanDesk.js';

/**
 * The image of a finding as the pool has it.
 *
 * @throws PartloopError `not-found` if it was removed
 */
export async function imageOfFinding(desk: ScanDesk, { findingId, imageId }: ListedFinding): Promise<ShownImage> {
  const image = await desk.imageOf(imageId);
  if (image !== null) return image;
  const [finding] = await desk.wholeFindings([findingId]);
  throw new PartloopError('not-found', `pool ${desk.pool.name} no longer lists ${finding?.fileName ?? imageId}`);
}

/**
 * The label of an image as a reviewer left it: the pool's, with what the reviewer answered since but did not hand in
 * yet. The answer to `except` is left out, so that it can be given again.
 */
export async function labelAsLeft(
  desk: ScanDesk,
  row: ShownImage,
  { reviewer, except }: { reviewer: string; except: string },
): Promise<LabelMask> {
  const label = await decodeLabel(await readLabel(desk.store, row), `label of ${row.fileName}`);
  const waiting = desk.batches
    .filter((batch) => batch.reviewer === reviewer && batch.state === 'open')
    .flatMap(({ answers }) => answers)
    .filter(
      ({ imageId, findingId, verdict, redrawn, isSecond }) =>
        imageId === row.imageId && findingId !== except && !isSecond && (verdict === 'accept' || redrawn !== null),
    );
  if (waiting.length === 0) return label;
  const findings = await desk.wholeFindings(waiting.map(({ findingId }) => findingId));
  const answers = new Map(waiting.map((answer) => [answer.findingId, answer]));
  const painted = await Promise.all(
    findings.map(async (finding) => {
      const redrawn = answers.get(finding.findingId)?.redrawn ?? null;
      return { finding, redrawn: redrawn === null ? null : await readDrawn(desk, redrawn) };
    }),
  );
  return { ...label, pixels: withAnswers(label, painted) };
}

/** A label with the proposal of a finding put in; null if the finding proposes no mask. */
export function proposedLabel({ pixels, width, height }: LabelMask, finding: FindingRow): Uint8Array | null {
  const suggestion = suggestionOf(finding);
  return suggestion === null ? null : applySuggestion(pixels, width, height, suggestion);
}
