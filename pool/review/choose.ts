import type { FindingRow, IndexRow, ScanImageRow } from '../../domain/tables.js';
import { IGNORE_INDEX, type Taxonomy } from '../../domain/taxonomy.js';
import type { ManifestImage, ReviewFormat } from '../../formats/manifest.js';
import { type ExportName, ExportNames } from '../../formats/names.js';

/** Kinds that are about the label as a whole: a reviewer needs all of it. */
const WHOLE_LABEL: ReadonlySet<string> = new Set([
  'mirrored',
  'shifted',
  'empty_label',
  'duplicate_conflict',
  'unreadable',
]);

export interface ChooseOptions {
  format: ReviewFormat;
  allClasses: boolean;
  allImages: boolean;
  /** Folder or URI under which the reviewers' tool finds the pictures by their names; null: the pool's own places. */
  imageRoot: string | null;
  storeUri: string;
}

/** Images to review, the most suspect first, and the reasons why others are not included. */
export interface Chosen {
  images: { row: IndexRow; image: ManifestImage }[];
  leftOut: { imageId: string; fileName: string; reason: string }[];
}

/**
 * The images of a scan to review: those with findings and those of the audit sample, if their label is still the judged
 * one.
 */
export function chooseImages(
  scanned: readonly ScanImageRow[],
  findings: readonly FindingRow[],
  index: ReadonlyMap<string, IndexRow>,
  taxonomy: Taxonomy,
  options: ChooseOptions,
): Chosen {
  const byImage = new Map<string, FindingRow[]>();
  for (const finding of findings) {
    const own = byImage.get(finding.imageId);
    if (own === undefined) byImage.set(finding.imageId, [finding]);
    else own.push(finding);
  }
  const chosen: Chosen = { images: [], leftOut: [] };
  const names = new ExportNames();
  const ranked = [...scanned].sort((a, b) => b.pMislabelled - a.pMislabelled || (a.imageId < b.imageId ? -1 : 1));
  for (const judged of ranked) {
    const { imageId, fileName, labelSha256, auditChance } = judged;
    const own = byImage.get(imageId) ?? [];
    if (own.length === 0 && auditChance === null && !options.allImages) continue;
    const row = index.get(imageId);
    if (row === undefined) chosen.leftOut.push({ imageId, fileName, reason: 'the pool no longer lists it' });
    else if (row.labelSha256 !== labelSha256)
      chosen.leftOut.push({ imageId, fileName, reason: 'its label has a newer revision than the scan judged' });
    else
      chosen.images.push({
        row,
        image: toImage(row, judged, own, taxonomy, names.take(row.fileName, imageId), options),
      });
  }
  return chosen;
}

function toImage(
  row: IndexRow,
  { auditChance, quarantined, regionsIgnored }: ScanImageRow,
  findings: readonly FindingRow[],
  taxonomy: Taxonomy,
  name: ExportName,
  { allClasses, format, imageRoot, storeUri }: ChooseOptions,
): ManifestImage {
  const all = taxonomy.classes.map((_, at) => at + 1);
  const suspect = new Set(findings.flatMap(({ classId, suggestedClassId }) => [classId, suggestedClassId ?? 0]));
  const whole =
    allClasses || findings.some(({ kind }) => WHOLE_LABEL.has(kind)) || (suspect.size === 1 && suspect.has(0));
  // Overlooked errors show only if a reviewer sees all of the label.
  const classes =
    whole || findings.length === 0 || auditChance !== null ? all : all.filter((value) => suspect.has(value));
  const own = row.imageUri.startsWith('s3://') ? row.imageUri : `${storeUri}/${row.imageUri}`;
  return {
    imageId: row.imageId,
    ...name,
    link: imageRoot === null ? own : `${imageRoot.replace(/\/+$/, '')}/${row.fileName}`,
    width: row.width,
    height: row.height,
    labelSha256: row.labelSha256,
    audit: auditChance === null ? null : { chance: auditChance, setAside: quarantined || regionsIgnored },
    exported: format === 'masks' ? [...classes, IGNORE_INDEX] : classes,
    findings: findings.map(
      ({ findingId, kind, classId, suggestedClassId, x0, y0, x1, y1, areaShare, pWrong, pModel }) => ({
        findingId,
        kind,
        classId,
        suggestedClassId,
        box: [x0, y0, x1, y1],
        areaShare,
        pWrong,
        pModel,
      }),
    ),
  };
}
