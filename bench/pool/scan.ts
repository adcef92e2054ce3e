import { randomUUID } from 'node:crypto';
import { scanRecordSchema } from '../../domain/scan/record.js';
import { findingRowSchema, scanImageRowSchema } from '../../domain/tables.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { writeTable } from '../../storage/tables/table.js';
import { poolRows } from '../draw/rows.js';

const DIGEST = '0'.repeat(64);

/** The record and tables of a scan of a pool's first images, each with one finding: what a command shows of it. */
export async function makeScan(store: ObjectStore, scan: string, pool: string, images: number): Promise<void> {
  if ((await store.head(keys.scan(scan))) !== null) return;
  const rows = poolRows(0, images, 'even');
  const folder = `${keys.scanPrefix(scan)}bench-${randomUUID()}/`;
  const outputs = {
    ...{ images: `${folder}images.parquet`, findings: `${folder}findings.parquet` },
    summary: `${folder}summary.json`,
  };
  const shared = rows.map(({ imageId, fileName, labelSha256 }) => ({ imageId, fileName, labelSha256 }));
  const imageRows = shared.map((row, at) =>
    scanImageRowSchema.parse({
      ...row,
      ...{ labelQuality: 0.5, pMislabelled: (at % 100) / 100, quarantined: at % 100 === 99, regionsIgnored: false },
      ...{
        kinds: ['missing_part'],
        findings: 1,
        labelIou: 0.5,
        hardness: 0.5,
        classIou: '{}',
        predictedClasses: [1, 2],
      },
      ...{ inferredTags: '{}', model: DIGEST, auditChance: null, error: null },
    }),
  );
  const findings = shared.map((row, at) =>
    findingRowSchema.parse({
      ...row,
      ...{ findingId: `finding-${at}`, kind: 'missing_part', classId: 0, suggestedClassId: 3, areaPx: 100 },
      ...{ areaShare: 0.01, pWrong: (at % 1_000) / 1_000, pModel: 0.5, x0: 0, y0: 0, x1: 0.5, y1: 1 },
      ...{ evidence: '{}', proposal: JSON.stringify({ size: [10, 20], counts: [0, 10, 190] }) },
    }),
  );
  await writeTable(store, outputs.images, imageRows, scanImageRowSchema);
  await writeTable(store, outputs.findings, findings, findingRowSchema);
  await store.put(outputs.summary, '{}', 'application/json');
  const result = { step: 'scan', digest: DIGEST, outcome: 'miss', outputs, facts: {}, seconds: 1 };
  const record = scanRecordSchema.parse({
    ...{ version: 1, scan, pool, poolVersion: 1, taxonomyDigest: DIGEST, chunk: `${folder}chunk.parquet`, result },
    finishedAt: '2026-01-01T00:00:00.000Z',
  });
  await store.put(keys.scan(scan), JSON.stringify(record), 'application/json');
}
