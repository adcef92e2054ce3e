import { PartloopError } from '../../domain/base/errors.js';
import { isWrongLabel } from '../../domain/images/wrongLabel.js';
import type { AuditAnswer } from '../../domain/review/auditAnswers.js';
import { type MergedLabel, mergeReturned, putOnTop } from '../../domain/review/labelMerge.js';
import type { Verdict } from '../../domain/review/review.js';
import type { ReviewImport } from '../../domain/review/reviewImport.js';
import type { IndexRow } from '../../domain/tables.js';
import { BACKGROUND, IGNORE_INDEX } from '../../domain/taxonomy.js';
import type { Manifest, ManifestFinding, ManifestImage, ReviewFormat } from '../../formats/manifest.js';
import type { Returned, ReturnedImage } from '../../formats/reading/returned.js';
import { exportedRaster, referenceRaster } from '../../formats/writers.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';
import type { Pool } from '../../storage/pool/pool.js';
import type { EarlierReviews } from './earlier.js';
import { correctedFindings, verdictOn } from './findingChanges.js';
import type { Revision, StoreLabel } from './revisions.js';

export interface JudgeContext {
  store: ObjectStore;
  pool: Pool;
  manifest: Manifest;
  returned: Returned;
  earlier: EarlierReviews;
  /** The returned format, which may differ from the exported one. */
  format: ReviewFormat;
  request: {
    reviewer: string | null;
    unchanged: 'right' | null;
    empty: 'deleted' | null;
    fillHoles: boolean;
    now: Date;
    /** Of the answer to the whole label. */
    comment?: string | undefined;
  };
}

/** The result for a returned image. */
export interface Judged extends Pick<MergedLabel, 'holes' | 'edgePixels'> {
  /**
   * changed: its label is revised; known: it was revised before, by this answer or a newer one; empty: it is unknown
   * whether anybody looked; objected: it is wrong, and nobody has corrected it yet.
   */
  kind: 'changed' | 'unchanged' | 'known' | 'empty' | 'objected';
  verdicts: Verdict[];
  audit: AuditAnswer | null;
  /** The label that it asks for, if no earlier import of the export asked for the same. */
  asked: ReviewImport['asked'][number] | null;
}

/**
 * Compare the returned raster with that of an untouched export, and apply the differences to the pool's present label.
 *
 * @param rows all rows of the image in the pool's index, the oldest first
 * @throws PartloopError `data-invalid` with the reason if that is not possible
 */
export async function judgeReturned(
  context: JudgeContext,
  image: ManifestImage,
  found: ReturnedImage,
  rows: readonly IndexRow[],
  storeLabel: StoreLabel,
): Promise<Judged & { revision: Revision | null }> {
  const row = rows.at(-1);
  if (row === undefined || row.removedAt !== null)
    throw new PartloopError('data-invalid', 'the pool no longer lists it');
  const comparison = await compare(context, image, found, row);
  if (comparison === 'empty') return { ...NOTHING, revision: null };
  if (comparison.merged.changed === 0) return { ...judgeUnchanged(context, image, comparison), revision: null };
  return judgeChanged(context, image, comparison, { row, rows, storeLabel });
}

const NOTHING: Judged = {
  ...{ kind: 'empty', verdicts: [], audit: null, asked: null },
  ...{ holes: { count: 0, pixels: 0 }, edgePixels: 0 },
};

/** A returned image beside the exported label. */
interface Comparison {
  /** The label at the time of the export, with all its classes. */
  original: Uint8Array;
  merged: MergedLabel;
  /** Exported label values that the file can express. */
  sayable: readonly number[];
  /** True if that is all of them. */
  isWhole: boolean;
}

/** `empty` if a label with shapes came back without any, unless that means that they were deleted. */
async function compare(
  context: JudgeContext,
  image: ManifestImage,
  found: ReturnedImage,
  row: IndexRow,
): Promise<Comparison | 'empty'> {
  const { manifest, returned, format, request } = context;
  const { width, height, findings } = image;
  const original = await labelOf(context, row, image.labelSha256);
  // Only index masks tell which pixels are ignored.
  const exported = image.exported.filter((value) => value !== IGNORE_INDEX || format === 'masks');
  // A class that the file does not know is treated like one that was not exported.
  const sayable = exported.filter((value) => value === IGNORE_INDEX || returned.classes?.has(value) !== false);
  const { raster, polygons } = await found.read(image);
  const cameEmpty = raster.every((value) => value === BACKGROUND);
  if (cameEmpty && request.empty === null && exportedRaster(original, exported).some((value) => value !== BACKGROUND))
    return 'empty';
  const merged = mergeReturned({
    ...{ width, height, original, polygons, returned: raster, fillHoles: request.fillHoles },
    reference: referenceRaster(manifest.format, image, exportedRaster(original, sayable), manifest.simplifyPx),
    expected: (hole) => findings.some(({ kind, box }) => ASK_FOR_FILLING.has(kind) && covers(box, hole, image)),
  });
  return { original, merged, sayable, isWhole: sayable.length === exported.length };
}

/** An unchanged label: it is an answer only if the reviewer says so. */
function judgeUnchanged(context: JudgeContext, image: ManifestImage, comparison: Comparison): Judged {
  const { merged, sayable, isWhole } = comparison;
  const { unchanged } = context.request;
  const seen = image.findings.filter((finding) => concernsOnly(finding, sayable));
  const answer = { correctedSha256: null, ...answered(context) };
  return {
    ...NOTHING,
    ...{ kind: 'unchanged', holes: merged.holes, edgePixels: merged.edgePixels },
    verdicts: unchanged === null ? [] : seen.map((finding) => verdictOn(image, finding, unchanged, answer)),
    audit: unchanged === null || !isWhole ? null : auditOf(context, image, { wrong: false, found: false }),
  };
}

/** A changed label: the pool's resulting label, and the answers to findings. */
async function judgeChanged(
  context: JudgeContext,
  image: ManifestImage,
  { original, merged, isWhole }: Comparison,
  { row, rows, storeLabel }: { row: IndexRow; rows: readonly IndexRow[]; storeLabel: StoreLabel },
): Promise<Judged & { revision: Revision | null }> {
  const { imageId, width, height, labelSha256 } = image;
  const { holes, edgePixels } = merged;
  const wanted = await storeLabel(merged.label);
  const before = context.earlier.thatAsked(imageId, wanted.labelSha256);
  const isKnown = row.labelSha256 === wanted.labelSha256;
  if (!isKnown && before !== undefined && context.earlier.superseded(before, rows))
    return { ...NOTHING, kind: 'known', holes, edgePixels, revision: null };
  const label =
    isKnown || row.labelSha256 === labelSha256
      ? wanted
      : await storeLabel(onTopOf(await labelOf(context, row, row.labelSha256), original, merged));
  const acted = correctedFindings(image, original, merged.label);
  const wrong = acted.length > 0 || isWrongLabel(original, merged.label, width, height);
  const isNew = label.labelSha256 !== row.labelSha256;
  const answer = { correctedSha256: label.labelSha256, ...answered(context) };
  return {
    ...{ kind: isNew ? 'changed' : 'known', holes, edgePixels },
    asked: before === undefined ? { imageId, labelSha256: wanted.labelSha256 } : null,
    verdicts: acted.map((finding) => verdictOn(image, finding, 'wrong', answer)),
    audit: wrong || isWhole ? auditOf(context, image, { wrong, found: acted.length > 0 }) : null,
    revision: isNew ? { imageId, on: row.labelSha256, label } : null,
  };
}

/** A present or earlier label of an image. */
export async function labelOf(
  { store, pool }: Pick<JudgeContext, 'store' | 'pool'>,
  row: IndexRow,
  sha256: string,
): Promise<Uint8Array> {
  const bytes = await readLabel(store, { ...row, labelSha256: sha256, labelUri: keys.label(pool.name, sha256) });
  return (await decodeLabel(bytes, `label of ${row.fileName}`)).pixels;
}

/** The changes, applied over those that others made since the export. */
function onTopOf(current: Uint8Array, original: Uint8Array, { label: corrected }: MergedLabel): Uint8Array {
  const label = putOnTop(original, corrected, current);
  if (label !== null) return label;
  throw new PartloopError('data-invalid', 'its label was changed at the same place since the export: export it again');
}

/** A reviewer says that a label is wrong, and corrects nothing. `objectsTo`: ids of the findings that hold. */
export function judgeObjection(
  context: Pick<JudgeContext, 'manifest' | 'request'>,
  image: ManifestImage,
  objectsTo: ReadonlySet<string>,
): Judged {
  const held = image.findings.filter(({ findingId }) => objectsTo.has(findingId));
  const answer = { correctedSha256: null, ...answered(context) };
  return {
    ...{ ...NOTHING, kind: 'objected' },
    verdicts: held.map((finding) => verdictOn(image, finding, 'wrong', answer)),
    audit: auditOf(context, image, { wrong: true, found: held.length > 0 }),
  };
}

const answered = ({ request }: Pick<JudgeContext, 'request'>): Pick<Verdict, 'reviewer' | 'reviewedAt'> => ({
  reviewer: request.reviewer,
  reviewedAt: request.now.toISOString(),
});

/** An image outside the audit sample tells nothing about others. */
function auditOf(
  context: Pick<JudgeContext, 'manifest' | 'request'>,
  { imageId, labelSha256, audit: drawn }: ManifestImage,
  answer: Pick<AuditAnswer, 'wrong' | 'found'>,
): AuditAnswer | null {
  if (drawn === null) return null;
  return {
    type: 'audit',
    scan: context.manifest.scan,
    imageId,
    labelSha256,
    ...drawn,
    ...answer,
    ...(context.request.comment === undefined ? {} : { comment: context.request.comment }),
    ...answered(context),
  };
}

/** True if the file can express the classes of a finding: a reviewer did not see others. */
const concernsOnly = ({ classId, suggestedClassId }: ManifestFinding, sayable: readonly number[]): boolean =>
  [classId, suggestedClassId ?? BACKGROUND].every((value) => value === BACKGROUND || sayable.includes(value));

/** Findings that make a filled hole an intended change. */
const ASK_FOR_FILLING: ReadonlySet<string> = new Set(['hole', 'missing_part', 'bad_outline']);

/** True if at least half of the hole's box is in the finding's. */
function covers(
  [fx0, fy0, fx1, fy1]: readonly [number, number, number, number],
  { x0, y0, x1, y1 }: { x0: number; y0: number; x1: number; y1: number },
  { width, height }: ManifestImage,
): boolean {
  const across = Math.max(0, Math.min(fx1 * width, x1) - Math.max(fx0 * width, x0));
  const down = Math.max(0, Math.min(fy1 * height, y1) - Math.max(fy0 * height, y0));
  return 2 * across * down >= (x1 - x0) * (y1 - y0);
}
