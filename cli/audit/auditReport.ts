import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { counted } from '../../domain/base/counted.js';
import { percent } from '../../domain/base/percent.js';
import { plainClassName } from '../../domain/taxonomies/categoryNames.js';
import { modelCardSchema } from '../../domain/train/modelCard.js';
import type { CocoOutline } from '../../formats/coco/outline.js';
import { renderAudit } from '../../report/audit/page.js';
import { drawSuspects } from '../../report/audit/pictures.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { readScanRecord } from '../../storage/scans.js';
import { readJson } from '../../storage/tables/json.js';
import type { AuditClasses } from './auditClasses.js';
import { type AuditFindings, shareText, suspectText } from './auditFindings.js';
import { type AuditImport, overlapText } from './auditImport.js';
import { boardCommand } from './openBoard.js';

/** What the report of an audit is made of. */
export interface ReportedAudit {
  annotations: string;
  outline: CocoOutline;
  classes: AuditClasses;
  imported: AuditImport;
  found: AuditFindings;
}

/** Write the report of an audit as one HTML file that needs nothing else. */
export async function writeAuditReport(
  store: ObjectStore,
  pool: Pool,
  path: string,
  { annotations, outline, classes, imported, found }: ReportedAudit,
): Promise<void> {
  const { scan, share, certificate, suspects } = found;
  const { taxonomy } = pool;
  const ids = new Set(suspects.map(({ image }) => image.imageId));
  const rows = await pool.readImages(scan.poolVersion, ids);
  const mirrors = new Map(taxonomy.classes.map(({ name, mirror }) => [name, mirror]));
  const flattened = overlapText(imported.overlaps);
  const page = renderAudit({
    ...{
      file: basename(annotations),
      madeAt: new Date().toISOString().slice(0, 16).replace('T', ' '),
      scan: scan.id,
      pool: pool.name,
    },
    ...{ images: outline.images, judged: found.judged, withFindings: found.withFindings, kinds: found.kinds },
    refused: imported.report.refused.length,
    share: [...(share === null ? [] : [shareText(share)]), ...certificate],
    warnings: found.warnings,
    method: [...(await judgesText(store, scan.id)), ...(flattened === null ? [] : [`${capital(flattened)}.`])],
    suspects: await drawSuspects(store, suspects, new Map(rows.map((row) => [row.imageId, row])), (suspect) => {
      const more = suspect.others === 0 ? '' : `, and ${counted(suspect.others, 'other finding', 'other findings')}`;
      return {
        title: suspectText(suspect, taxonomy),
        detail: `${percent(suspect.image.pMislabelled)} likely to be wrong${more}`,
      };
    }),
    classes: outline.categories.map(({ name: category }) => {
      const name = classes.rules.map.get(category) ?? plainClassName(category);
      return { category, name, mirror: mirrors.get(name) ?? null };
    }),
    commands: [boardCommand(scan.id)],
  });
  await writeFile(path, page);
}

/** The folds of a scan, a sentence. */
async function judgesText(store: ObjectStore, scan: string): Promise<string[]> {
  const record = await readScanRecord(store, scan);
  const card = record?.result.outputs['fold-0-card'];
  if (record === null || card === undefined) return [];
  const { preset, imageSize, iterations } = await readJson(store, card, modelCardSchema);
  const folds = counted(Number(record.result.facts.folds ?? 0), 'network', 'networks');
  return [
    `${folds} judged, each the images that it was not trained on: ${preset} at ${imageSize} pixels, ` +
      `${counted(iterations, 'iteration', 'iterations')}.`,
  ];
}

const capital = (sentence: string): string => `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
