import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { isFaultOfImage } from '../../domain/images/leftOut.js';
import { findingRowSchema, type IndexRow, scanImageRowSchema } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { type Manifest, type ManifestImage, manifestPath, type ReviewFormat } from '../../formats/manifest.js';
import { classTable } from '../../formats/palette.js';
import type { FormatWriter } from '../../formats/writer.js';
import { exportedRaster, referenceRaster, WRITERS } from '../../formats/writers.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';
import { openPool, type Pool } from '../../storage/pool/pool.js';
import { type FoundScan, findScan } from '../../storage/scans.js';
import { readTable } from '../../storage/tables/table.js';
import { ulid } from '../../storage/ulid.js';
import { type Chosen, chooseImages } from './choose.js';

/** Tools grow slow, and their files unwieldy, beyond this. */
const IMAGES_A_PART = 2_000;

export interface ExportRequest {
  /** `LOOP`, `LOOP:N` or `scan-…`. */
  scan: string;
  format: ReviewFormat;
  /** A folder that is new or empty. */
  out: string;
  imageRoot: string | null;
  allClasses: boolean;
  allImages: boolean;
  /** Largest distance in pixels by which polygons may be simplified; only YOLO has polygons. */
  simplifyPx: number;
  /** Images per part; fewer than the usual 2,000 only if a caller wants smaller parts. */
  imagesAPart?: number;
  now: Date;
  onProgress(done: number): void;
}

export interface ExportReport {
  exportId: string;
  scan: string;
  pool: string;
  format: ReviewFormat;
  folders: string[];
  images: number;
  findings: number;
  /** Labelled pixels that were exported, and how many of them the format itself changes. */
  pixels: number;
  lostPixels: number;
  leftOut: Chosen['leftOut'];
}

/**
 * Write the suspects of a scan in a format that annotation tools read: labels, and links to the pictures. Each part has
 * a `manifest.json`, with which `partloop review import` reads back the result.
 *
 * @throws PartloopError `not-found` for an unknown scan, `input-invalid` for a folder that is not empty
 */
export async function exportForReview(store: ObjectStore, request: ExportRequest): Promise<ExportReport> {
  const scan = await findScan(store, request.scan);
  await prepareFolder(request.out);
  const pool = await openPool(store, scan.pool);
  const { images, leftOut } = await chooseFrom(store, scan, pool, request);
  const report: ExportReport = {
    exportId: ulid(request.now),
    scan: scan.id,
    pool: scan.pool,
    format: request.format,
    folders: [],
    images: 0,
    findings: 0,
    pixels: 0,
    lostPixels: 0,
    leftOut,
  };
  for (const { number, of, folder, chosen } of partsOf(images, request)) {
    await mkdir(folder, { recursive: true });
    const facts = partFacts(report, pool.taxonomy, request, { part: number, parts: of });
    const written = await writePart(store, chosen, { folder, facts }, report, request.onProgress);
    report.folders.push(folder);
    await writeFile(manifestPath(folder), JSON.stringify({ ...facts, images: written }, null, 1));
  }
  return report;
}

async function chooseFrom(store: ObjectStore, scan: FoundScan, pool: Pool, request: ExportRequest): Promise<Chosen> {
  const images = await readTable(store, scan.images, scanImageRowSchema);
  const scanned = new Set(images.map(({ imageId }) => imageId));
  const now = await pool.readImages(await pool.latestVersion(), scanned);
  const index = new Map(now.map((row) => [row.imageId, row]));
  return chooseImages(images, await readTable(store, scan.findings, findingRowSchema), index, pool.taxonomy, {
    ...request,
    storeUri: store.uri,
  });
}

/** The target folders: `out` itself if one part has all images (or there are none); otherwise one folder per part. */
function* partsOf(
  images: Chosen['images'],
  { out, imagesAPart = IMAGES_A_PART }: ExportRequest,
): Generator<{ number: number; of: number; folder: string; chosen: Chosen['images'] }> {
  const of = Math.max(1, Math.ceil(images.length / imagesAPart));
  for (let number = 1; number <= of; number++) {
    const folder = of === 1 ? out : join(out, `part-${String(number).padStart(3, '0')}`);
    yield { number, of, folder, chosen: images.slice((number - 1) * imagesAPart, number * imagesAPart) };
  }
}

type PartFacts = Omit<Manifest, 'images'>;

/** The facts in a part's manifest beside its images. */
const partFacts = (
  { exportId, scan, pool }: ExportReport,
  taxonomy: Taxonomy,
  { format, simplifyPx, now }: ExportRequest,
  { part, parts }: Pick<PartFacts, 'part' | 'parts'>,
): PartFacts => ({
  version: 1,
  exportId,
  scan,
  pool,
  taxonomy: taxonomy.name,
  format,
  part,
  parts,
  simplifyPx: format === 'yolo' ? simplifyPx : 0,
  createdAt: now.toISOString(),
  classes: classTable(taxonomy),
});

/**
 * Write the images of one part, and count them in `report`; unreadable and unwritable ones are named there.
 *
 * @returns the images in the part
 */
async function writePart(
  store: ObjectStore,
  chosen: Chosen['images'],
  place: { folder: string; facts: PartFacts },
  report: ExportReport,
  onProgress: ExportRequest['onProgress'],
): Promise<ManifestImage[]> {
  const { format, simplifyPx } = place.facts;
  const writer = WRITERS[format](place);
  const written: ManifestImage[] = [];
  for (const { row, image } of chosen) {
    const label = await readableLabel(store, row, report.leftOut);
    if (label === null) continue;
    const raster = exportedRaster(label, image.exported);
    if (!(await added(writer, image, raster, report.leftOut))) continue;
    written.push(image);
    countPixels(raster, referenceRaster(format, image, raster, simplifyPx), report);
    report.findings += image.findings.length;
    onProgress(++report.images);
  }
  await writer.finish();
  return written;
}

/** @param reference the raster after the format's losses */
function countPixels(raster: Uint8Array, reference: Uint8Array, report: ExportReport): void {
  for (let pixel = 0; pixel < raster.length; pixel++) {
    if (raster[pixel] !== 0) report.pixels += 1;
    if (raster[pixel] !== reference[pixel]) report.lostPixels += 1;
  }
}

/** False if the format cannot represent the label: the image is left out and named. */
async function added(
  writer: FormatWriter,
  image: ManifestImage,
  raster: Uint8Array,
  leftOut: Chosen['leftOut'],
): Promise<boolean> {
  try {
    await writer.add({ image, raster });
    return true;
  } catch (error) {
    if (!(error instanceof PartloopError) || error.code !== 'data-invalid') throw error;
    const { imageId, name } = image;
    const reason = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
    leftOut.push({ imageId, fileName: name, reason });
    return false;
  }
}

/** null if the label cannot be read or does not fit the picture: the image is left out and named. */
async function readableLabel(
  store: ObjectStore,
  row: IndexRow,
  leftOut: Chosen['leftOut'],
): Promise<Uint8Array | null> {
  try {
    const { pixels, width, height } = await decodeLabel(await readLabel(store, row), `label of ${row.fileName}`);
    if (width === row.width && height === row.height) return pixels;
    throw new PartloopError('data-invalid', `its label is ${width}×${height}, the picture ${row.width}×${row.height}`);
  } catch (error) {
    if (!isFaultOfImage(error)) throw error;
    leftOut.push({ imageId: row.imageId, fileName: row.fileName, reason: error.message });
    return null;
  }
}

/** Files of an earlier export would be read back as if they belonged to this one. */
async function prepareFolder(out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  if ((await readdir(out)).length > 0)
    throw new PartloopError('input-invalid', `${out} is not empty`, { hint: 'Give a new folder with --out.' });
}
