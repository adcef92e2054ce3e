import { boxIou } from '../domain/geometry/boxIou.js';
import type { FindingRow } from '../domain/tables.js';
import type { PlantedError, SpoilKind, TruthRow } from './spoil/truth.js';
import { SPOIL_KINDS } from './spoil/truth.js';

/** A finding of at least this probability counts: it would be shown as wrong rather than right. */
export const COUNTS_FROM = 0.5;
/** A finding about a part matches a planted error of its kind where their boxes overlap by this IoU. */
export const MATCH_IOU = 0.3;

export interface Detection {
  kind: SpoilKind;
  planted: number;
  found: number;
  precision: number | null;
  recall: number | null;
}

type Located = Pick<FindingRow, 'kind' | 'pWrong' | 'x0' | 'y0' | 'x1' | 'y1'>;
/** One scanned image: the errors of its label, and the scan's findings. */
export interface Judged {
  truth: TruthRow;
  findings: readonly Located[];
}

/**
 * Precision and recall by kind over scanned images. Kind must equal kind. Errors about one part (left out, wrong class,
 * swapped) match by box, IoU of at least `MATCH_IOU`; errors about the whole label (mirrored, shifted, coarse) match
 * wherever the finding is in that image. Precision is over findings of at least `COUNTS_FROM`, null if there are none.
 */
export function detectionByKind(images: readonly Judged[]): Detection[] {
  return SPOIL_KINDS.map((kind) => {
    let [planted, found, findings, right] = [0, 0, 0, 0];
    for (const { truth, findings: all } of images) {
      const errors = truth.planted.filter((error) => error.kind === kind);
      const claims = all.filter((finding) => finding.kind === kind && finding.pWrong >= COUNTS_FROM);
      planted += errors.length;
      findings += claims.length;
      found += errors.filter((error) => claims.some((claim) => matches(claim, error, truth.size))).length;
      right += claims.filter((claim) => errors.some((error) => matches(claim, error, truth.size))).length;
    }
    return {
      kind,
      planted,
      found,
      precision: findings === 0 ? null : right / findings,
      recall: planted === 0 ? null : found / planted,
    };
  });
}

function matches({ x0, y0, x1, y1 }: Located, { classId, trueClassId, box }: PlantedError, size: number): boolean {
  if (classId === null && trueClassId === null) return true;
  const [left, top, right, bottom] = box.map((edge) => edge / size) as [number, number, number, number];
  return boxIou([x0, y0, x1, y1], [left, top, right, bottom]) >= MATCH_IOU;
}
