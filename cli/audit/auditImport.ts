import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { readCoco } from '../../formats/coco/import.js';
import type { ClassRules } from '../../formats/reading/classMatcher.js';
import type { EmptyPictures, ImportEntry, ImportReport } from '../../formats/reading/importItem.js';
import { withDecoderApart } from '../../pool/import/decoder.js';
import { importImages } from '../../pool/import/importImages.js';
import { groupRefusals } from '../../pool/import/refusals.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { say } from '../terminal/output.js';
import { IMAGES, withCounter } from '../terminal/progress.js';

/** Labels whose annotations overlap. */
export interface Overlaps {
  images: number;
  /** Pixels that an annotation lost to a smaller one above it. */
  pixels: number;
  /** Pixels that the labels show. */
  labelled: number;
}

export interface AuditImport {
  report: ImportReport;
  overlaps: Overlaps;
}

interface Source {
  images: string;
  annotations: string;
  empty: EmptyPictures;
  followLinks: boolean;
}

/**
 * Bring the images of an audit into its pool; images that it has already are known.
 *
 * @throws PartloopError `data-invalid` if no image can be used
 */
export async function importForAudit(
  store: ObjectStore,
  pool: string,
  { taxonomy, rules }: { taxonomy: Taxonomy; rules: ClassRules },
  { images: place, annotations, empty, followLinks }: Source,
): Promise<AuditImport> {
  const overlaps: Overlaps = { images: 0, pixels: 0, labelled: 0 };
  const report = await withCounter(
    'import',
    IMAGES,
    (onProgress, signal) =>
      withDecoderApart((decoder) => {
        const entries = readCoco({ place, annotations, taxonomy, classes: rules, empty, followLinks, signal });
        const options = { test: false, now: new Date(), decoder, onProgress, signal };
        return importImages(store, pool, taxonomy, countingOverlaps(entries, overlaps), options);
      }),
    { inGoodOrder: true },
  );
  const { added, replaced, updated, restored, known, refused } = report;
  const usable = added + replaced + updated + restored + known;
  const reasons = groupRefusals([...report.kept, ...refused]);
  say(`${counted(usable, 'image', 'images')} read into pool ${pool}, ${refused.length} refused`);
  for (const { reason, count, examples } of reasons) say(`  ${count} × ${reason}: ${examples.join(', ')}`);
  for (const { notice, count } of report.notices) say(`  note: ${count} × ${notice}`);
  const flattened = overlapText(overlaps);
  if (flattened !== null) say(flattened);
  if (usable === 0)
    throw new PartloopError('data-invalid', `no image of ${annotations} can be used`, {
      hint: reasons[0] === undefined ? 'Check --images.' : `The first reason: ${reasons[0].reason}`,
    });
  return { report, overlaps };
}

async function* countingOverlaps(entries: AsyncIterable<ImportEntry>, overlaps: Overlaps): AsyncGenerator<ImportEntry> {
  for await (const entry of entries) {
    if (!('label' in entry)) {
      yield entry;
      continue;
    }
    yield {
      ...entry,
      label: async (size, decode) => {
        const label = await entry.label(size, decode);
        const { pixels, overlapPx = 0 } = label;
        overlaps.labelled += pixels.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0);
        overlaps.pixels += overlapPx;
        if (overlapPx > 0) overlaps.images += 1;
        return label;
      },
    };
  }
}

/** What became of annotations that overlap, for people; null if none do. */
export function overlapText({ images, pixels, labelled }: Overlaps): string | null {
  if (images === 0) return null;
  const share = ((100 * pixels) / Math.max(1, labelled + pixels)).toFixed(1);
  return (
    `annotations overlap in ${counted(images, 'image', 'images')} (${share} % of the annotated pixels): they were ` +
    'flattened to one class per pixel, the smaller annotation on top'
  );
}
