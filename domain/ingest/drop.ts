import { z } from 'zod';
import { nameSchema } from '../base/ids.js';

// A drop: a folder of an inbox with images and labels, which whoever sends it closes by writing its marker last.

/** The last object of a drop: from then on the drop counts as whole. */
export const DROP_MARKER = '_COMPLETE';
/** Folder of all inboxes in the store. */
export const INBOX = 'inbox/';
/** A marker is a few words; anything larger is a mistake. */
export const MAX_MARKER_BYTES = 65_536;
/** Files of one drop. */
export const MAX_DROP_FILES = 500_000;

/** Names of drops become parts of keys and of workflow results. */
export const dropNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'use 1–100 of A–Z, a–z, 0–9, ., _ and -, starting with a letter or digit',
  );

const path = z
  .string()
  .min(1)
  .max(1_024)
  .refine((value) => !value.startsWith('/') && !value.split('/').includes('..'), 'use a path inside the drop');

/** What a marker may say; an empty one says nothing, and then the files of the drop tell. */
export const markerSchema = z.strictObject({
  format: z.enum(['coco', 'masks']).optional().describe('What the labels are'),
  annotations: path.optional().describe('The COCO file'),
  images: path.optional().describe('Folder that names in the COCO file are relative to'),
  manifest: path.optional().describe('The JSON Lines manifest of index masks'),
  tags: path.optional().describe('CSV file with tags, vehicle_id and source by image name'),
  files: z
    .number()
    .int()
    .min(0)
    .max(MAX_DROP_FILES)
    .optional()
    .describe('Files of the drop without the marker: with fewer it is not whole yet'),
});
export type Marker = z.infer<typeof markerSchema>;

/** The pool and drop whose marker this key is; null for every other key. */
export function dropOfMarker(key: string): { pool: string; drop: string } | null {
  const [inbox, pool, drop, marker, ...more] = key.split('/');
  if (`${inbox}/` !== INBOX || marker !== DROP_MARKER || more.length > 0) return null;
  if (!nameSchema.safeParse(pool).success || !dropNameSchema.safeParse(drop).success) return null;
  return { pool: pool as string, drop: drop as string };
}
