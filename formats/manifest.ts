import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { check } from '../domain/base/checked.js';
import { PartloopError } from '../domain/base/errors.js';
import { nameSchema, sha256Schema } from '../domain/base/ids.js';
import { findingIdSchema } from '../domain/review/review.js';
import { answeredScanSchema } from '../domain/review/reviewImport.js';
import { findingKindSchema } from '../domain/tables.js';
import { parseJsonText } from './reading/jsonFile.js';

/** Formats that annotation tools read and write. */
export const REVIEW_FORMATS = ['coco', 'cvat', 'label-studio', 'masks', 'yolo'] as const;
export type ReviewFormat = (typeof REVIEW_FORMATS)[number];

const MANIFEST = 'manifest.json';
const MAX_BYTES = 64 * 2 ** 20;

const byte = z.number().int().min(0).max(255);
const share = z.number().min(0).max(1);
const side = z.number().int().positive().max(100_000);
const classEntrySchema = z.object({ value: byte, name: z.string(), colour: z.tuple([byte, byte, byte]) });
export type ClassEntry = z.output<typeof classEntrySchema>;

const findingSchema = z.object({
  findingId: findingIdSchema,
  kind: findingKindSchema,
  classId: byte,
  suggestedClassId: byte.nullable(),
  /** Fractions of the upright image: x0, y0, x1, y1. */
  box: z.tuple([share, share, share, share]),
  areaShare: share,
  pWrong: share,
  pModel: share,
});
export type ManifestFinding = z.output<typeof findingSchema>;

const exportedImageSchema = z.object({
  imageId: sha256Schema,
  /** Name in the export, unique there. */
  name: z.string().min(1).max(1_100),
  /** Path without an ending of its label file, in formats that have one for each image; unique there. */
  file: z.string().min(1).max(1_100).optional(),
  link: z.string(),
  width: side,
  height: side,
  labelSha256: sha256Schema,
  /** Label values that were exported; the rest of the label stays in the pool. */
  exported: z.array(byte),
  findings: z.array(findingSchema),
  /** For the scan's audit sample: the chance of its draw, and whether the scan set it aside; null: not drawn. */
  audit: z
    .object({ chance: z.number().gt(0).max(1), setAside: z.boolean() })
    .nullable()
    .default(null),
});
/** Older exports have no `file`: they cut any short ending off the name. */
const imageSchema = exportedImageSchema.transform((image) => ({
  ...image,
  file: image.file ?? image.name.replace(/\.[A-Za-z0-9]{1,5}$/, ''),
}));
export type ManifestImage = z.output<typeof imageSchema>;

/** The content of an export: written beside it, and needed to read back a tool's result. */
export const manifestSchema = z.object({
  version: z.literal(1),
  exportId: z.string().min(1).max(64),
  scan: answeredScanSchema,
  pool: nameSchema,
  taxonomy: z.string(),
  format: z.enum(REVIEW_FORMATS),
  part: z.number().int().positive(),
  parts: z.number().int().positive(),
  /** Largest distance in pixels by which polygons were simplified; 0 in formats without polygons. */
  simplifyPx: z.number().min(0).max(100),
  createdAt: z.string(),
  classes: z.array(classEntrySchema),
  images: z.array(imageSchema).max(100_000),
});
export type Manifest = z.output<typeof manifestSchema>;

export const manifestPath = (folder: string): string => join(folder, MANIFEST);

/**
 * The manifest at `given`, otherwise the one in the returned folder, or beside the returned file.
 *
 * @throws PartloopError `input-invalid` if there is none
 */
export async function readManifest(path: string, given: string | undefined): Promise<Manifest> {
  const places = given === undefined ? [manifestPath(path), manifestPath(dirname(path))] : [given];
  for (const place of places) {
    const facts = await stat(place).catch(() => null);
    if (facts?.isFile() !== true) continue;
    if (facts.size > MAX_BYTES)
      throw new PartloopError('input-invalid', `${place} has ${facts.size} bytes, more than ${MAX_BYTES}`);
    return parseManifest(await readFile(place, 'utf8'), place);
  }
  throw new PartloopError('input-invalid', `there is no ${MANIFEST} with ${basename(path)}`, {
    hint: 'The export wrote it to identify its images: name it with --manifest FILE.',
  });
}

function parseManifest(text: string, place: string): Manifest {
  const { data, problem } = check(manifestSchema, parseJsonText(text, place));
  if (problem === null) return data;
  throw new PartloopError('input-invalid', `${place} is not the manifest of an export: ${problem}`);
}
