import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type FindingRow, findingRowSchema, type IndexRow, scanImageRowSchema } from '../../domain/tables.js';
import { labelNames } from '../../domain/taxonomy.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { openPool } from '../../storage/pool.js';
import { findScan } from '../../storage/scans.js';
import { readTable, writeTableFile } from '../../storage/table.js';

/** A row for every image that was scanned. */
const imageSchema = z.object({
  image_id: z.string(),
  file_name: z.string(),
  /** 0..1, low is suspect. */
  label_quality: z.number(),
  p_mislabelled: z.number(),
  /** Joined by semicolons. */
  kinds: z.string(),
});

const findingSchema = z.object({
  image_id: z.string(),
  file_name: z.string(),
  kind: z.string(),
  class: z.string(),
  suggested_class: z.string().nullable(),
  /** Square pixels of the upright original. */
  area_px: z.number().int(),
  p_wrong: z.number(),
  /** `x0 y0 x1 y1` in pixels of the upright original, ends exclusive. */
  bbox: z.string(),
  finding_id: z.string(),
});

/** Write `images` and `findings` of a scan into a folder as CSV or Parquet; the files' paths come back. */
export async function exportTables(
  store: ObjectStore,
  { scan: id, format, out }: { scan: string; format: 'csv' | 'parquet'; out: string },
): Promise<{ scan: string; pool: string; images: number; findings: number; files: string[] }> {
  const scan = await findScan(store, id);
  const pool = await openPool(store, scan.pool);
  const images = await readTable(store, scan.imagesKey, scanImageRowSchema);
  const findings = await readTable(store, scan.findingsKey, findingRowSchema);
  const index = new Map((await pool.readIndex(await pool.latestVersion())).map((row) => [row.imageId, row]));
  const names = labelNames(pool.taxonomy);
  await mkdir(out, { recursive: true });
  const files = [join(out, `images.${format}`), join(out, `findings.${format}`)] as const;
  const imageRows = images.map(({ imageId, fileName, labelQuality, pMislabelled, kinds }) => ({
    image_id: imageId,
    file_name: fileName,
    label_quality: labelQuality,
    p_mislabelled: pMislabelled,
    kinds: kinds.join(';'),
  }));
  const findingRows = findings.map((finding) => toRow(finding, index.get(finding.imageId), names));
  await writeTableFile(files[0], imageRows, imageSchema, format);
  await writeTableFile(files[1], findingRows, findingSchema, format);
  return { scan: scan.id, pool: scan.pool, images: images.length, findings: findings.length, files: [...files] };
}

function toRow(
  finding: FindingRow,
  row: IndexRow | undefined,
  names: readonly string[],
): z.output<typeof findingSchema> {
  const { width, height } = row ?? { width: 0, height: 0 };
  const { x0, y0, x1, y1, suggestedClassId } = finding;
  return {
    image_id: finding.imageId,
    file_name: finding.fileName,
    kind: finding.kind,
    class: names[finding.classId] ?? String(finding.classId),
    suggested_class: suggestedClassId === null ? null : (names[suggestedClassId] ?? String(suggestedClassId)),
    area_px: Math.round(finding.areaShare * width * height),
    p_wrong: finding.pWrong,
    bbox: [x0 * width, y0 * height, x1 * width, y1 * height].map(Math.round).join(' '),
    finding_id: finding.findingId,
  };
}
