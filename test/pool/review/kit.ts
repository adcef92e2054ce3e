import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  type Manifest,
  type ManifestFinding,
  type ManifestImage,
  manifestPath,
  type ReviewFormat,
} from '../../../formats/manifest.js';
import { classTable } from '../../../formats/palette.js';
import { openReturned } from '../../../formats/reading/readers.js';
import { WRITERS } from '../../../formats/writers.js';
import { joinImages } from '../../../pool/review/joinImages.js';
import { TAXONOMY } from '../../support/pictures/pictures.js';

export const WIDTH = 13;
export const HEIGHT = 9;

/** An image of the export, `number` in its id and its name. */
export function manifestImage(number: number, changes: Partial<ManifestImage> = {}): ManifestImage {
  return {
    imageId: number.toString(16).padStart(64, '0'),
    name: `front/${number}.jpg`,
    file: `front/${number}`,
    link: `s3://bucket/front/${number}.jpg`,
    width: WIDTH,
    height: HEIGHT,
    labelSha256: 'b'.repeat(64),
    exported: [1, 2, 3],
    findings: [finding(number)],
    audit: null,
    ...changes,
  };
}

export const finding = (number: number, changes: Partial<ManifestFinding> = {}): ManifestFinding => ({
  findingId: `finding-${number}`,
  kind: 'missing_part',
  classId: 0,
  suggestedClassId: 2,
  box: [0, 0, 0.5, 0.5],
  areaShare: 0.2,
  pWrong: 0.9,
  pModel: 0.9,
  ...changes,
});

export interface Part {
  image: ManifestImage;
  raster: Uint8Array;
}

/** Write a part of an export with its manifest. */
export async function writePart(
  folder: string,
  format: ReviewFormat,
  parts: readonly Part[],
  simplifyPx = 0,
): Promise<Manifest> {
  const classes = classTable(TAXONOMY);
  const writer = WRITERS[format]({ folder, facts: { exportId: 'E1', classes, simplifyPx } });
  for (const part of parts) await writer.add(part);
  await writer.finish();
  const manifest: Manifest = {
    version: 1,
    exportId: 'E1',
    scan: 'cars:1',
    pool: 'cars',
    taxonomy: TAXONOMY.name,
    format,
    part: 1,
    parts: 1,
    simplifyPx,
    createdAt: '2026-01-01T00:00:00.000Z',
    classes,
    images: parts.map(({ image }) => image),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(manifestPath(folder), JSON.stringify(manifest));
  return manifest;
}

/** The labels read back, by image id; a refused image has its reason instead. */
export async function readBack(path: string, manifest: Manifest): Promise<Map<string, Uint8Array | string>> {
  const opened = await openReturned(path);
  const { images, strangers } = joinImages(manifest, await opened.read(opened.path, manifest));
  const found = new Map<string, Uint8Array | string>(strangers.map((name) => [name, 'unknown']));
  for (const { image, found: returned } of images) {
    found.set(
      image.imageId,
      await returned.read(image).then(
        ({ raster }) => raster,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
    );
  }
  return found;
}

/** Rectangles over each other: holes, split parts, touching parts and background come about by themselves. */
const drawn: fc.Arbitrary<Uint8Array> = fc
  .array(fc.tuple(fc.nat(WIDTH - 1), fc.nat(HEIGHT - 1), fc.nat(WIDTH), fc.nat(HEIGHT), fc.nat(3)), { maxLength: 12 })
  .map((boxes) => {
    const raster = new Uint8Array(WIDTH * HEIGHT);
    for (const [x0, y0, width, height, value] of boxes) {
      for (let y = y0; y < Math.min(HEIGHT, y0 + height); y++)
        raster.fill(value, y * WIDTH + x0, y * WIDTH + Math.min(WIDTH, x0 + width));
    }
    return raster;
  });

/** Rectangles, or each pixel by itself: parts that touch at corners alone, holes in holes. */
export const rasters: fc.Arbitrary<Uint8Array> = fc.oneof(
  drawn,
  fc.uint8Array({ minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT, max: 3 }),
);

/** A part with a hole and, in one corner of it, another part; a second piece; parts that touch; the rest background. */
export function holedRaster(): Uint8Array {
  return Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => {
    const [x, y] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
    if (x >= 2 && x < 5 && y >= 2 && y < 5) return x === 2 && y === 2 ? 3 : 0;
    if (x < 7 && y < 7) return 1;
    if (x >= 7 && x < 9 && y < 7) return 2;
    return x === 11 && y > 4 ? 1 : 0;
  });
}

export async function saveJson(folder: string, name: string, value: unknown): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(value));
  return path;
}

/** Written to a folder and read back, each image of an export has the raster that it had. */
export async function assertComesBack(folder: string, format: ReviewFormat, parts: readonly Part[]): Promise<void> {
  const found = await readBack(folder, await writePart(folder, format, parts));
  assert.equal(found.size, parts.length);
  for (const { image, raster } of parts) assert.deepEqual(found.get(image.imageId), raster, image.name);
}
