import { type IndexRow, indexRowSchema } from '../../domain/tables.js';

/** An index row of image `number`, with everything the index wants. */
export function indexRow(number: number, changes: Partial<IndexRow> = {}): IndexRow {
  const imageId = number.toString(16).padStart(64, '0');
  return indexRowSchema.parse({
    imageId,
    fileName: `${number}.jpg`,
    imageUri: `pools/cars/images/${imageId}`,
    imageEtag: null,
    imageVersion: null,
    labelUri: `pools/cars/labels/${imageId}`,
    labelSha256: imageId,
    width: 4,
    height: 3,
    tagOrigins: '{}',
    vehicleId: null,
    source: 'in-house',
    split: 'train',
    perceptualHash: '0'.repeat(16),
    classes: [1],
    labelRevision: 0,
    ingestedAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  });
}
