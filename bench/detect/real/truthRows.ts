import { z } from 'zod';
import type { FindingRow, ScanImageRow } from '../../../domain/tables.js';
import { IGNORE_INDEX } from '../../../domain/taxonomy.js';
import type { Truth } from '../../certify/population.js';
import type { TruthRow } from '../../propagate/rows.js';
import type { BenchImage } from '../data.js';
import { proposalOf } from './claims.js';

/** What `npm run bench -- certify --truth` and `npm run bench -- propagate --data` take. */
export interface TruthRows {
  images: Truth[];
  findings: TruthRow[];
}

type Judged = Pick<ScanImageRow, 'imageId' | 'fileName' | 'pMislabelled'>;
type Scored = Pick<BenchImage, 'imageId' | 'width' | 'height' | 'clean'>;

const evidenceSchema = z.record(z.string(), z.unknown());

/**
 * Scored images and their findings with a proposal, with the truth. A correction is harmful if it does not bring more
 * pixels of the label to the corrected one than it takes away.
 *
 * `given`: labels under test, `wrong`: whether they are wrong by parts, both in the order of `images`
 */
export function truthRows(
  scan: { images: readonly Judged[]; findings: readonly FindingRow[] },
  images: readonly Scored[],
  given: readonly Uint8Array[],
  wrong: readonly boolean[],
): TruthRows {
  const place = new Map(images.map(({ imageId }, at) => [imageId, at]));
  const findings = scan.findings.flatMap((finding) => {
    const at = place.get(finding.imageId);
    if (at === undefined) return [];
    const [image, label] = [images[at], given[at]];
    return image === undefined || label === undefined ? [] : findingRow(finding, image, label);
  });
  const judged = scan.images.flatMap(({ imageId, fileName, pMislabelled }) => {
    const at = place.get(imageId);
    return at === undefined ? [] : [{ id: fileName, p: pMislabelled ?? 0, wrong: wrong[at] === true }];
  });
  return { images: judged, findings };
}

function findingRow(finding: FindingRow, image: Scored, label: Uint8Array): TruthRow[] {
  const { findingId, kind, classId, suggestedClassId, pModel, fileName } = finding;
  const region = proposalOf(finding, image);
  if (region === null || suggestedClassId === null) return [];
  const gained = gainOf(region, suggestedClassId, label, image.clean);
  const numbers = Object.entries(evidenceSchema.parse(JSON.parse(finding.evidence))).flatMap(([name, value]) =>
    typeof value === 'number' ? [[name, value] as const] : [],
  );
  return [
    {
      ...{ finding: findingId, image: fileName, kind, classPair: [classId ?? 0, suggestedClassId], pModel },
      ...{ evidence: Object.fromEntries(numbers), harmful: gained <= 0, wrongArea: Math.max(0, gained) },
    },
  ];
}

/** Pixels that `value` in a region brings to the corrected label, less those that it takes away; 255 does not count. */
export function gainOf(region: ReadonlySet<number>, value: number, label: Uint8Array, clean: Uint8Array): number {
  let gained = 0;
  for (const pixel of region) {
    const right = clean[pixel];
    if (right !== IGNORE_INDEX) gained += Number(right === value) - Number(right === label[pixel]);
  }
  return gained;
}
