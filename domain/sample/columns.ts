import type { z } from 'zod';
import { chunkRowSchema, scanImageRowSchema } from '../tables.js';

// Whole rows of a large chunk and of its scan take most of a gigabyte; these are the columns that decide.

/** What the choice of images needs of an image of the chunk. */
export const offeredRowSchema = chunkRowSchema.pick({
  ...{ imageId: true, cluster: true, classes: true },
  ...{ angle: true, vehicle: true, damage: true, black: true },
  ...{ reflection: true, zoomed: true, orientation: true, region: true },
});
export type OfferedRow = z.output<typeof offeredRowSchema>;

/** What it needs of the scan of an image. */
export const judgedRowSchema = scanImageRowSchema.pick({
  ...{ imageId: true, labelSha256: true, pMislabelled: true, quarantined: true, regionsIgnored: true },
  ...{ labelIou: true, hardness: true, predictedClasses: true, inferredTags: true, model: true, error: true },
});
export type JudgedRow = z.output<typeof judgedRowSchema>;

/** What it needs of an image that was picked before. */
export type TrainedImage = Omit<OfferedRow, 'cluster'>;
