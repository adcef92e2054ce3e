import { z } from 'zod';

/**
 * The ways in which people get labels wrong, named as the scan reports them, and their shares of all spoiled labels.
 */
export const SPOIL_SHARES = {
  missing_part: 0.6,
  wrong_class: 0.15,
  swapped: 0.1,
  mirrored: 0.05,
  shifted: 0.05,
  bad_outline: 0.05,
} as const;
export const SPOIL_KINDS = [
  'missing_part',
  'wrong_class',
  'swapped',
  'mirrored',
  'shifted',
  'bad_outline',
] as const satisfies readonly (keyof typeof SPOIL_SHARES)[];
export type SpoilKind = (typeof SPOIL_KINDS)[number];
/** Share of the training labels that are spoiled. */
export const SPOILED_SHARE = 0.15;

export const plantedErrorSchema = z.object({
  kind: z.enum(SPOIL_KINDS),
  /** Label value in the spoiled label; null if the error concerns the whole label. */
  classId: z.number().int().nullable(),
  /** Right label value; null if the error concerns the whole label. */
  trueClassId: z.number().int().nullable(),
  /** Pixels: left, top, right, bottom; right and bottom exclusive. */
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
});
export type PlantedError = z.infer<typeof plantedErrorSchema>;

/** One line of `truth.jsonl`: the errors of one image's label. Never in the pool, never in the manifest. */
export const truthRowSchema = z.object({
  fileName: z.string(),
  wrong: z.boolean(),
  size: z.number().int(),
  planted: z.array(plantedErrorSchema),
});
export type TruthRow = z.infer<typeof truthRowSchema>;
