import { z } from 'zod';

const className = z.string().min(1).max(200);

/**
 * How the drops of one pool are taken: the operator's word, since what a client sends is not to be trusted. Stored as
 * `pools/POOL/ingest/rules.json`; a pool without has the defaults.
 */
export const ingestRulesSchema = z.strictObject({
  classMap: z
    .record(className, className)
    .default({})
    .describe('Class of each category with a different name; `background` and `ignored` are allowed'),
  ignoreClasses: z.array(className).max(1_000).default([]).describe('Categories whose annotations are left out'),
  empty: z
    .enum(['refuse', 'background'])
    .default('refuse')
    .describe('Pictures without any annotation: refuse them, or take them as showing no part'),
  maskValues: z
    .enum(['index', 'zero-based'])
    .default('index')
    .describe(
      'index: 0 is background, 1 the first class, 255 ignored; zero-based: 0 is the first class, 255 background',
    ),
  maxIgnored: z.number().min(0).max(1).default(0.5).describe('Refuse masks with a larger share of ignored pixels'),
  source: z.enum(['in-house', 'client']).default('client').describe('Source of images that do not name theirs'),
  leaks: z
    .enum(['reject', 'accept'])
    .default('reject')
    .describe('Training images that show a vehicle or a picture of the test set; accepted ones are never drawn'),
  testImages: z
    .enum(['reject', 'accept'])
    .default('reject')
    .describe('Images that say of themselves that they belong to the test set'),
  relabel: z
    .boolean()
    .default(false)
    .describe('Use labels and tags of a drop, even if a reviewer corrected them since'),
  waitHours: z
    .number()
    .min(0)
    .max(720)
    .default(24)
    .describe('How long a drop waits for files that it names and that are not there; then it is taken without them'),
  largestRemoval: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('Share of the pool that removal requests take out by themselves in a day; larger ones wait for a person'),
});
export type IngestRules = z.infer<typeof ingestRulesSchema>;
export const DEFAULT_RULES: IngestRules = ingestRulesSchema.parse({});
