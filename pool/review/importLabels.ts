import type { AuditAnswer } from '../../domain/auditAnswers.js';
import { PartloopError } from '../../domain/errors.js';
import { mergeReturned } from '../../domain/labelMerge.js';
import type { Verdict } from '../../domain/review.js';
import type { IndexRow } from '../../domain/tables.js';
import { IGNORE_INDEX } from '../../domain/taxonomy.js';
import { isWrongLabel } from '../../domain/wrongLabel.js';
import { type ManifestImage, type ReviewFormat, readManifest } from '../../formats/manifest.js';
import { openReturned } from '../../formats/readers.js';
import type { ReturnedImage } from '../../formats/returned.js';
import { exportedRaster, referenceRaster } from '../../formats/writers.js';
import { readLabel } from '../../storage/imageSource.js';
import { keys } from '../../storage/keys.js';
import { decodeLabel } from '../../storage/labelMask.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { openPool } from '../../storage/pool.js';
import { isCorrected, verdictOn } from './findingChanges.js';
import { imageJoiner } from './joinImages.js';
import { type Recorded, recordReview } from './record.js';
import { correctedRow } from './revisions.js';

export interface LabelImport {
  /** What came back: a file, or an unpacked folder. */
  path: string;
  /** The export's manifest, where it is not beside `path`. */
  manifest?: string;
  /** Refused where the export is of another pool. */
  pool?: string;
  reviewer: string | null;
  /** An image that came back as it went out: its findings are right, or nobody has looked. */
  unchanged: 'right' | null;
  /** Take every hole that came back filled as a correction. */
  fillHoles: boolean;
  now: Date;
  onProgress(done: number): void;
}

export interface LabelImportReport extends Recorded {
  pool: string;
  exportId: string;
  format: ReviewFormat;
  exported: number;
  /** Images of the export that came back and could be read. */
  returned: number;
  changed: number;
  unchanged: number;
  /** Corrected as they are here by an earlier import. */
  known: number;
  refused: { imageId: string; fileName: string; reason: string }[];
  /** Images of the export that did not come back. */
  missing: { imageId: string; fileName: string }[];
  /** Names of images that were never exported. */
  strangers: string[];
  /** What tools lost and the pool kept. */
  loss: { holes: number; holePixels: number; edgePixels: number };
}

/**
 * Take corrected labels from an annotation tool into the pool: each changed image gets a new label revision, each finding that
 * was acted on the verdict "wrong". Images are joined on our ids, else on names; sizes are checked; what is missing is listed.
 *
 * @throws PartloopError `input-invalid` where the file, its manifest or the pool do not fit each other
 */
export async function importLabels(store: ObjectStore, request: LabelImport): Promise<LabelImportReport> {
  const { path, now, reviewer } = request;
  const manifest = await readManifest(path, request.manifest);
  if (request.pool !== undefined && request.pool !== manifest.pool)
    throw new PartloopError('input-invalid', `the export is of pool \`${manifest.pool}\`, not \`${request.pool}\``);
  const opened = await openReturned(path);
  const pool = await openPool(store, manifest.pool);
  const base = await pool.latestVersion();
  const index = new Map((await pool.readIndex(base)).map((row) => [row.imageId, row]));
  const join = imageJoiner(manifest.images);

  const report = {
    exported: manifest.images.length,
    returned: 0,
    changed: 0,
    unchanged: 0,
    known: 0,
    refused: [] as LabelImportReport['refused'],
    strangers: [] as string[],
    loss: { holes: 0, holePixels: 0, edgePixels: 0 },
  };
  const rows: IndexRow[] = [];
  const verdicts: Verdict[] = [];
  const audits: AuditAnswer[] = [];
  const seen = new Set<string>();
  for await (const found of opened.read(opened.path, manifest)) {
    const image = join(found);
    if (image === null) {
      report.strangers.push(found.name);
      continue;
    }
    const { imageId, name: fileName } = image;
    try {
      if (seen.has(imageId)) throw new PartloopError('data-invalid', `it came back twice, also as ${found.name}`);
      seen.add(imageId);
      await take(image, found);
      report.returned += 1;
    } catch (error) {
      if (!(error instanceof PartloopError) || !['data-invalid', 'data-changed', 'not-found'].includes(error.code))
        throw error;
      report.refused.push({ imageId, fileName, reason: error.message });
    }
    request.onProgress(seen.size);
  }
  const recorded = await recordReview(store, pool, base, rows, { verdicts, audits }, now);
  const missing = manifest.images
    .filter(({ imageId }) => !seen.has(imageId))
    .map(({ imageId, name }) => ({ imageId, fileName: name }));
  const { exportId } = manifest;
  return { pool: pool.name, exportId, format: opened.format, ...report, missing, ...recorded };

  async function take(image: ManifestImage, found: ReturnedImage): Promise<void> {
    const { width, height, labelSha256, findings } = image;
    const row = index.get(image.imageId);
    if (row === undefined) throw new PartloopError('data-invalid', 'the pool no longer lists it');
    const stored = await readLabel(store, { ...row, labelSha256, labelUri: keys.label(pool.name, labelSha256) });
    const { pixels: original } = await decodeLabel(stored, `label of ${row.fileName}`);
    const { raster, polygons } = await found.read(image);
    const merged = mergeReturned({
      width,
      height,
      original,
      reference: reference(image, original),
      returned: raster,
      polygons,
      fillHoles: request.fillHoles,
      expected: (hole) => findings.some(({ kind, box }) => ASK_FOR_FILLING.has(kind) && covers(box, hole, image)),
    });
    report.loss.holes += merged.holes.count;
    report.loss.holePixels += merged.holes.pixels;
    report.loss.edgePixels += merged.edgePixels;
    const reviewedAt = now.toISOString();
    if (merged.changed === 0) {
      report.unchanged += 1;
      if (request.unchanged !== null) {
        const { unchanged } = request;
        const answered = { correctedSha256: null, reviewer, reviewedAt };
        for (const finding of findings) verdicts.push(verdictOn(image, finding, unchanged, answered));
        audit(image, { wrong: false, found: false, reviewedAt });
      }
      return;
    }
    const corrected = await correctedRow(store, pool, row, merged.label, now);
    if (corrected !== null && row.labelSha256 !== labelSha256)
      throw new PartloopError('data-invalid', 'its label was changed otherwise since the export: export it again');
    const correctedSha256 = (corrected ?? row).labelSha256;
    if (corrected === null) report.known += 1;
    else {
      rows.push(corrected);
      report.changed += 1;
    }
    const acted = findings.filter((finding) => isCorrected(image, finding, original, merged.label));
    for (const finding of acted)
      verdicts.push(verdictOn(image, finding, 'wrong', { correctedSha256, reviewer, reviewedAt }));
    const wrong = acted.length > 0 || isWrongLabel(original, merged.label, width, height);
    audit(image, { wrong, found: acted.length > 0, reviewedAt });
  }

  /** Of an image outside the audit sample nothing is learned about others. */
  function audit(
    { imageId, labelSha256, audit: drawn }: ManifestImage,
    answer: Pick<AuditAnswer, 'wrong' | 'found' | 'reviewedAt'>,
  ): void {
    if (drawn !== null)
      audits.push({ type: 'audit', scan: manifest.scan, imageId, labelSha256, ...drawn, ...answer, reviewer });
  }

  /** What an untouched export reads as in the format that came back: only index masks say what is ignored. */
  function reference(image: ManifestImage, original: Uint8Array): Uint8Array {
    const exported = exportedRaster(original, image.exported);
    const went = referenceRaster(manifest.format, image, exported, manifest.simplifyPx);
    return opened.format === 'masks' ? went : went.map((value) => (value === IGNORE_INDEX ? 0 : value));
  }
}

/** Findings after which a filled hole is what the reviewer meant. */
const ASK_FOR_FILLING: ReadonlySet<string> = new Set(['hole', 'missing_part', 'bad_outline']);

/** True where at least half of the hole's box lies in the finding's. */
function covers(
  [fx0, fy0, fx1, fy1]: readonly [number, number, number, number],
  { x0, y0, x1, y1 }: { x0: number; y0: number; x1: number; y1: number },
  { width, height }: ManifestImage,
): boolean {
  const across = Math.max(0, Math.min(fx1 * width, x1) - Math.max(fx0 * width, x0));
  const down = Math.max(0, Math.min(fy1 * height, y1) - Math.max(fy0 * height, y0));
  return 2 * across * down >= (x1 - x0) * (y1 - y0);
}
