import { seededRandom } from '../../../domain/base/random.js';
import type { ChunkRow, IndexRow, ScanImageRow } from '../../../domain/tables.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { type Taxonomy, taxonomySchema } from '../../../domain/taxonomy.js';

/** A made-up image id that sorts by its number. */
export const idOf = (n: number): string => n.toString(16).padStart(64, '0');

export function indexRow(n: number, fields: Partial<IndexRow> = {}): IndexRow {
  return {
    imageId: idOf(n),
    fileName: `car-${n}.jpg`,
    imageUri: `pools/cars/images/${idOf(n)}`,
    imageEtag: null,
    imageVersion: null,
    labelUri: `pools/cars/labels/${idOf(n)}`,
    labelSha256: idOf(n),
    width: 128,
    height: 96,
    ...NO_TAGS,
    tagOrigins: '{}',
    vehicleId: null,
    source: 'in-house',
    split: 'train',
    perceptualHash: ((BigInt(n) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn).toString(16).padStart(16, '0'),
    classes: [1],
    labelRevision: 1,
    ingestedAt: '2026-01-01T00:00:00.000Z',
    change: 'import',
    changeId: null,
    removedAt: null,
    ...fields,
  };
}

export const chunkRow = (n: number, fields: Partial<ChunkRow> = {}): ChunkRow => ({
  ...indexRow(n),
  cluster: idOf(n),
  ...fields,
});

export function scanRow(n: number, fields: Partial<ScanImageRow> = {}): ScanImageRow {
  return {
    imageId: idOf(n),
    fileName: `car-${n}.jpg`,
    labelSha256: idOf(n),
    labelQuality: 0.9,
    pMislabelled: 0.1,
    quarantined: false,
    regionsIgnored: false,
    kinds: [],
    findings: 0,
    auditChance: null,
    labelIou: 0.7,
    hardness: 0.3,
    classIou: '{}',
    predictedClasses: [1],
    inferredTags: '{}',
    model: 'model',
    error: null,
    ...fields,
  };
}

export const TAXONOMY: Taxonomy = taxonomySchema.parse({
  name: 'small',
  classes: [
    { name: 'hood', group: 'major' },
    { name: 'door', group: 'major' },
    { name: 'mirror', group: 'minor' },
  ],
});

/** 60 % of the images at angle 0, few elsewhere; every tenth is black; mirrors are rare. */
export function skewed(count: number, tagged = true): { chunk: ChunkRow[]; scan: ScanImageRow[] } {
  const random = seededRandom('skewed');
  const chunk = Array.from({ length: count }, (_, n) =>
    chunkRow(n, {
      ...(tagged
        ? {
            angle: n % 10 < 6 ? 0 : n % 10 < 8 ? 45 : n % 10 === 8 ? 90 : 135,
            black: n % 10 === 9,
            orientation: n % 2 ? 'left' : 'right',
          }
        : {}),
      classes: n % 17 === 0 ? [1, 2, 3] : n % 3 === 0 ? [1, 2] : [1],
    }),
  );
  const scan = chunk.map((_, n) =>
    scanRow(n, { hardness: random(), pMislabelled: random() ** 4, predictedClasses: n % 2 ? [1, 2] : [1] }),
  );
  return { chunk, scan };
}
