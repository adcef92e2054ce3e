import { createHash } from 'node:crypto';
import { encodeRle } from '../../../domain/geometry/rle.js';
import { scanRecordSchema } from '../../../domain/scan/record.js';
import {
  type FindingRow,
  findingRowSchema,
  type IndexRow,
  type ScanImageRow,
  scanImageRowSchema,
} from '../../../domain/tables.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { decodeLabel, encodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool, type Pool } from '../../../storage/pool/pool.js';
import { writeTable } from '../../../storage/tables/table.js';
import { idOf, indexRow, scanRow } from '../../domain/sample/rows.js';
import { TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

export const WIDTH = 40;
export const HEIGHT = 20;
export const SCAN = 'scan-cars-1';
const DIGEST = 'd'.repeat(64);

/** Nothing in the left half, class 1 in the right one. */
export const halfLabel = (): Uint8Array =>
  Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => (pixel % WIDTH < WIDTH / 2 ? 0 : 1));

export interface ScannedPool {
  store: ObjectStore;
  pool: Pool;
  images: IndexRow[];
  findings: FindingRow[];
  /** The label of an image as it is now, and its row. */
  now(number: number): Promise<{ row: IndexRow; label: Uint8Array }>;
  /** The same by id. */
  labelOf(imageId: string): Promise<Uint8Array>;
}

/** Class 3 is missing in the left half. */
export function missingPart(image: IndexRow, fields: Partial<FindingRow> = {}): FindingRow {
  const counts = encodeRle((pixel) => pixel % 20 < 10, { x0: 0, y0: 0, x1: 20, y1: 10 }, 20, 10);
  return findingRowSchema.parse({
    ...{ findingId: `f-${image.fileName}`, imageId: image.imageId, fileName: image.fileName },
    ...{ labelSha256: image.labelSha256, kind: 'missing_part', classId: 0, suggestedClassId: 3 },
    ...{ areaPx: 100, areaShare: 0.5, pWrong: 0.8, pModel: 0.8, x0: 0, y0: 0, x1: 0.5, y1: 1, evidence: '{}' },
    proposal: JSON.stringify({ size: [10, 20], counts }),
    ...fields,
  });
}

/** Pool `cars` with `count` labelled images (1, 2, …), and the finished scan `SCAN` that found something on each. */
export async function scannedPool(
  count: number,
  options: {
    label?: Uint8Array;
    size?: { width: number; height: number };
    findings?: (image: IndexRow) => FindingRow[];
    rows?: Partial<ScanImageRow>;
    /** Fields of an image by its place. */
    image?: (at: number) => Partial<IndexRow>;
    store?: ObjectStore;
  } = {},
): Promise<ScannedPool> {
  const { label = halfLabel(), findings: findingsOf = (image) => [missingPart(image)] } = options;
  const { width, height } = options.size ?? { width: WIDTH, height: HEIGHT };
  const { store = memoryStore() } = options;
  await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
  const encoded = await encodeLabel(label, width, height);
  const labelSha256 = createHash('sha256').update(encoded).digest('hex');
  const labelUri = keys.label('cars', labelSha256);
  await store.put(labelUri, encoded);
  const images = Array.from({ length: count }, (_, at) => ({
    ...indexRow(at + 1, { labelUri, labelSha256, width, height }),
    ...options.image?.(at),
  }));
  const pool = await openPool(store, 'cars');
  const { version: poolVersion } = await pool.append(() => images);
  const findings = images.flatMap(findingsOf);
  const rows = images.map(({ imageId, fileName }, at) => ({
    ...scanRow(at + 1, { labelSha256, pMislabelled: 1 / (at + 2), ...options.rows }),
    ...{ imageId, fileName },
  }));
  const outputs = { images: 'images.parquet', findings: 'findings.parquet', summary: 'summary.json' };
  await writeTable(store, outputs.images, rows, scanImageRowSchema);
  await writeTable(store, outputs.findings, findings, findingRowSchema);
  const result = { step: 'scan', digest: DIGEST, outcome: 'miss', outputs, facts: {}, seconds: 1 };
  const record = scanRecordSchema.parse({
    ...{ version: 1, scan: SCAN, pool: 'cars', poolVersion, taxonomyDigest: DIGEST, chunk: 'chunk.parquet', result },
    finishedAt: '2026-01-01T00:00:00.000Z',
  });
  await store.put(keys.scan(SCAN), JSON.stringify(record));
  const newest = async (imageId: string): Promise<{ row: IndexRow; label: Uint8Array }> => {
    const row = (await pool.readIndex(await pool.latestVersion())).find((one) => one.imageId === imageId);
    if (row === undefined) throw new Error(`no image ${imageId}`);
    return { row, label: (await decodeLabel((await store.get(row.labelUri)).body)).pixels };
  };
  return {
    ...{ store, pool, images, findings },
    now: (number) => newest(images[number - 1]?.imageId ?? idOf(number)),
    labelOf: async (imageId) => (await newest(imageId)).label,
  };
}
