import type { FindingRow, IndexRow, ScanImageRow } from '../../domain/tables.js';
import type { Manifest, ManifestImage } from '../../formats/manifest.js';
import { classTable } from '../../formats/palette.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { readReviews } from '../../storage/reviews.js';
import { chooseImages } from './choose.js';
import { earlierReviews } from './earlier.js';
import { type JudgeContext, judgeObjection, judgeReturned, labelOf } from './judgeReturned.js';
import type { Recorded } from './record.js';
import { type ReturnedJob, takeReturned } from './takeReturned.js';

/** A reviewer's answer to the whole label of an image of an audit sample. */
export interface GivenAudit {
  imageId: string;
  wrong: boolean;
  /** The right label, of the size of the judged one; null if nobody drew it. */
  drawn: Uint8Array | null;
  /** Findings of the image that hold, if the label is wrong and nobody drew the right one. */
  objectsTo: readonly string[];
  comment: string | null;
  answeredAt: string;
}

/** Answers to an audit sample that come together: one import. */
export interface AuditsTaken {
  /** The import's id; the same answers under the same export are taken once. */
  id: string;
  exportId: string;
  scan: string;
  reviewer: string;
  answers: readonly GivenAudit[];
  /** What the scan said of these images. */
  judged: { images: readonly ScanImageRow[]; findings: readonly FindingRow[] };
  now: Date;
}

/**
 * Take answers to an audit sample into a pool. They are judged as if index masks came back from an annotation tool,
 * each with all classes: so they are recorded as the import of such a file records them.
 */
export async function takeAudits(
  store: ObjectStore,
  pool: Pool,
  { id, exportId, scan, reviewer, answers, judged, now }: AuditsTaken,
): Promise<{ recorded: Recorded; notApplied: { imageId: string; reason: string }[] }> {
  const { images, leftOut } = await manifestImages(store, pool, judged);
  const manifest: Manifest = {
    ...{ version: 1, exportId, scan, pool: pool.name, taxonomy: pool.taxonomy.name, format: 'masks' },
    ...{ part: 1, parts: 1, simplifyPx: 0, createdAt: now.toISOString(), classes: classTable(pool.taxonomy) },
    images: [...images.values()],
  };
  const source = { exportId, tableSha256: null };
  const reviews = await readReviews(store, pool.name);
  const context = { store, pool, manifest, format: 'masks' as const, earlier: earlierReviews(reviews, source) };
  const jobs = answers.flatMap((answer) => {
    const image = images.get(answer.imageId);
    return image === undefined ? [] : jobOf(context, image, answer, reviewer);
  });
  const about = { reviewer, scan, ...source };
  const { outcomes, recorded } = await takeReturned(store, pool, {
    ...{ id, about, reviews, jobs, now },
    onJudged: () => undefined,
  });
  const refused = jobs.flatMap(({ imageId, image }) => {
    const outcome = outcomes.get(image);
    return outcome?.kind === 'refused' ? { imageId, reason: outcome.reason } : [];
  });
  return { recorded, notApplied: [...refused, ...leftOut.map(({ imageId, reason }) => ({ imageId, reason }))] };
}

/** The images as an export of the judged labels lists them; a label that changed since is merged, not refused. */
async function manifestImages(store: ObjectStore, pool: Pool, { images, findings }: AuditsTaken['judged']) {
  const labels = new Map(images.map(({ imageId, labelSha256 }) => [imageId, labelSha256]));
  const rows = await pool.readImages(await pool.latestVersion(), new Set(labels.keys()));
  const index = new Map(
    rows.map((row): [string, IndexRow] => [row.imageId, { ...row, labelSha256: labels.get(row.imageId) ?? '' }]),
  );
  const chosen = chooseImages(images, findings, index, pool.taxonomy, {
    ...{ format: 'masks', allClasses: true, allImages: true, imageRoot: null, storeUri: store.uri },
  });
  return {
    images: new Map(chosen.images.map(({ image }) => [image.imageId, image])),
    leftOut: chosen.leftOut,
  };
}

function jobOf(
  shared: Omit<JudgeContext, 'returned' | 'request'>,
  image: ManifestImage,
  { imageId, wrong, drawn, objectsTo, comment, answeredAt }: GivenAudit,
  reviewer: string,
): ReturnedJob {
  const context: JudgeContext = {
    ...shared,
    returned: { images: [], classes: null },
    // Whoever draws here sees the whole label: holes that are filled and parts that are erased are meant.
    request: {
      ...{ reviewer, unchanged: 'right', empty: 'deleted', fillHoles: true, now: new Date(answeredAt) },
      comment: comment ?? undefined,
    },
  };
  return {
    ...{ imageId, image },
    async judge(rows, storeLabel) {
      if (wrong && drawn === null) return { ...judgeObjection(context, image, new Set(objectsTo)), revision: null };
      const raster = async (): Promise<Uint8Array> => {
        const row = rows.at(-1);
        if (drawn !== null || row === undefined) return drawn ?? new Uint8Array();
        return labelOf(context, row, image.labelSha256);
      };
      const found = { name: image.name, imageId, read: async () => ({ raster: await raster(), polygons: false }) };
      return judgeReturned(context, image, found, rows, storeLabel);
    },
  };
}
