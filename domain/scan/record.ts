import { z } from 'zod';
import { nameSchema, sha256Schema } from '../base/ids.js';
import { resultSchemas } from '../steps.js';

/** `scans/<scan>/commit.json`: the complete record of a scan that belongs to no loop. */
export const scanRecordSchema = z.object({
  version: z.literal(1),
  scan: nameSchema,
  pool: nameSchema,
  poolVersion: z.number().int().nonnegative(),
  taxonomyDigest: sha256Schema,
  /** The scanned chunk. */
  chunk: z.string(),
  result: resultSchemas.scan,
  /** The drawn images and the others; null in older records. */
  draw: resultSchemas.draw.nullable().default(null),
  finishedAt: z.string(),
});
export type ScanRecord = z.infer<typeof scanRecordSchema>;
