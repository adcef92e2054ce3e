import { z } from 'zod';
import { nameSchema, sha256Schema } from '../base/ids.js';
import { resultSchemas } from '../steps.js';

/** `scans/<scan>/commit.json`: a scan that belongs to no loop, whole. */
export const scanRecordSchema = z.object({
  version: z.literal(1),
  scan: nameSchema,
  pool: nameSchema,
  poolVersion: z.number().int().nonnegative(),
  taxonomyDigest: sha256Schema,
  /** The chunk that was scanned. */
  chunk: z.string(),
  result: resultSchemas.scan,
  /** What was drawn, and what not; null in records of before it was kept. */
  draw: resultSchemas.draw.nullable().default(null),
  finishedAt: z.string(),
});
export type ScanRecord = z.infer<typeof scanRecordSchema>;
