import { z } from 'zod';
import { type SuspectLabel, suspectLabels, type WrongShare, wrongShare } from '../../domain/audit/suspects.js';
import { counted } from '../../domain/base/counted.js';
import { percent } from '../../domain/base/percent.js';
import { certificateTexts } from '../../domain/review/certificate/text.js';
import { notJudged } from '../../domain/scan/counts.js';
import { findingClass } from '../../domain/scan/findingClass.js';
import { findingRowSchema, scanImageRowSchema } from '../../domain/tables.js';
import { labelNames, type Taxonomy } from '../../domain/taxonomy.js';
import { countKinds } from '../../report/selection.js';
import { certifyPool } from '../../storage/certificate.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { type FoundScan, findScan } from '../../storage/scans.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable } from '../../storage/tables/table.js';
import { printTable, say } from '../terminal/output.js';

/** The labels of the report. */
const REPORTED = 50;
const SHOWN = 5;
const summarySchema = z.object({ warnings: z.array(z.string()).default([]) });

/** What an audit found. */
export interface AuditFindings {
  scan: FoundScan;
  /** Labels that were judged. */
  judged: number;
  withFindings: number;
  /** The estimate by the scan's probabilities; null if nothing was judged. */
  share: WrongShare | null;
  /** What reviewers' answers prove, a sentence each; empty as long as there are none. */
  certificate: string[];
  warnings: string[];
  suspects: SuspectLabel[];
  /** Findings by kind, the most frequent first. */
  kinds: { kind: string; findings: number; images: number }[];
}

/** Read what a finished scan found. */
export async function auditFindings(store: ObjectStore, pool: Pool, scanName: string): Promise<AuditFindings> {
  const scan = await findScan(store, scanName);
  const images = await readTable(store, scan.images, scanImageRowSchema);
  const findings = await readTable(store, scan.findings, findingRowSchema);
  const { warnings } = await readJson(store, scan.summary, summarySchema);
  const { certificate } = await certifyPool(store, pool, [scan]);
  const judged = images.filter((image) => notJudged(image) === null);
  return {
    ...{ scan, warnings, judged: judged.length, share: wrongShare(images) },
    withFindings: judged.filter(({ kinds }) => kinds.length > 0).length,
    certificate: certificate === null ? [] : certificateTexts(certificate),
    suspects: suspectLabels(images, findings, REPORTED),
    kinds: countKinds(findings, new Set()),
  };
}

/** `About 12 % of the labels are wrong (9 % to 15 %, if the scan's probabilities are right).` */
export function shareText(share: WrongShare): string {
  const { value, low, high } = share;
  return `About ${percent(value)} of the labels are wrong (${percent(low)} to ${percent(high)}, if the scan's probabilities are right).`;
}

/** A finding in words: what, and of which class. */
export function suspectText({ finding }: Pick<SuspectLabel, 'finding'>, taxonomy: Taxonomy): string {
  if (finding === null) return 'the label as a whole';
  const names = labelNames(taxonomy);
  const own = findingClass(finding, names);
  const { suggestedClassId: to, classId, kind } = finding;
  const suggested = to === null || to === classId ? '' : ` → ${names[to] ?? to}`;
  return `${kind.replaceAll('_', ' ')}: ${own}${suggested}`;
}

/** The findings for people: counts, the share of wrong labels and, as facts, the most suspect ones. */
export function tellFindings(found: AuditFindings, taxonomy: Taxonomy, { json }: { json: boolean }): void {
  const { judged, withFindings, share, certificate, warnings, suspects } = found;
  say(...warnings.map((warning) => `warning: ${warning}`));
  say(`${counted(judged, 'label', 'labels')} judged, ${withFindings} with findings`);
  if (share !== null) say(shareText(share));
  say(...certificate);
  if (json) return;
  say(suspects.length === 0 ? 'No label is suspect.' : `the ${Math.min(SHOWN, suspects.length)} most suspect labels:`);
  printTable(
    suspects.slice(0, SHOWN).map((suspect) => ({
      image: suspect.image.fileName,
      finding: suspectText(suspect, taxonomy),
      'p mislabelled': suspect.image.pMislabelled.toFixed(3),
    })),
  );
}
