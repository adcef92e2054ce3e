import { seededRandom } from '../../base/random.js';
import { FINDING_ID } from './thresholds.js';

/**
 * The id of a finding, 24 hex digits: the same image, label, kind, classes and place (box in pixels, on an 8-pixel
 * grid) give the same id in every scan, so it survives each export and import.
 */
export function findingId(
  imageId: string,
  labelSha256: string,
  kind: string,
  classes: readonly [given: number, suggested: number | null],
  box: readonly number[],
): string {
  const random = seededRandom(
    'finding',
    imageId,
    labelSha256,
    kind,
    classes[0],
    classes[1] ?? -1,
    ...box.map((edge) => Math.round(edge / FINDING_ID.grid)),
  );
  return Array.from({ length: 3 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}
