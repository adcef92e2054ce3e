import { createHash } from 'node:crypto';
import { correctLabel } from '../domain/correction.js';
import { PartloopError } from '../domain/errors.js';
import { VERDICTS, type Verdict, verdictSchema } from '../domain/review.js';
import { exportScan } from '../domain/scanExport.js';
import { type FindingRow, findingRowSchema, type IndexRow } from '../domain/tables.js';
import { readLabel } from '../storage/imageSource.js';
import { keys } from '../storage/keys.js';
import { decodeLabel, encodeLabel } from '../storage/labelMask.js';
import type { ObjectStore } from '../storage/objectStore.js';
import { openPool, type Pool } from '../storage/pool.js';
import { appendVerdicts } from '../storage/reviews.js';
import type { FoundScan } from '../storage/scans.js';
import { readCsvFile, readTable } from '../storage/table.js';

export interface VerdictReport {
  scan: string;
  pool: string;
  verdicts: number;
  /** Labels that got a new revision. */
  corrected: number;
  poolVersion: number;
  /** Findings of the scan that the file says nothing of. */
  unanswered: number;
  /** Rows of the file (1 is the first below the header) that could not be taken over. */
  refused: { row: number; reason: string }[];
}

/** Columns of `findings.csv` that tell one finding from another; `finding_id` does so alone where the file has it. */
const IDENTITY = ['image_id', 'kind', 'class', 'suggested_class', 'bbox'] as const;

/**
 * Answers to the findings of a scan, from its `findings.csv` with a column `verdict` (and `reviewer`, `comment` where there
 * are any). Rows without an answer are passed over. Verdicts are appended first, then accepted proposals become new
 * label revisions; nothing that was there is changed. Importing a file again adds the same answers once more, which says
 * nothing new, and corrects no label twice: a corrected label is another label.
 *
 * @throws PartloopError `data-invalid` where the file is no such table
 */
export async function importVerdicts(
  store: ObjectStore,
  scan: FoundScan,
  file: string,
  options: { reviewer: string | null; now: Date },
): Promise<VerdictReport> {
  const rows = await readCsvFile(file);
  const [first] = rows;
  const columns = Object.keys(first ?? {});
  const identified = columns.includes('finding_id') || IDENTITY.every((name) => columns.includes(name));
  if (first !== undefined && !(columns.includes('verdict') && identified)) {
    throw new PartloopError('data-invalid', `${file} has the columns ${columns.join(', ')}`, {
      hint: `It needs \`verdict\`, and either \`finding_id\` or ${IDENTITY.join(', ')}: add \`verdict\` to the findings.csv that \`partloop scan export\` writes.`,
    });
  }
  const pool = await openPool(store, scan.pool);
  const scanned = new Map((await pool.readIndex(scan.poolVersion)).map((row) => [row.imageId, row]));
  const findings = await readTable(store, scan.findings, findingRowSchema);
  const byKey = findingsByKey(findings, pool, scanned);
  const refused: VerdictReport['refused'] = [];
  const answered = new Map<string, { finding: FindingRow; verdict: Verdict; row: number }>();
  for (const [index, row] of rows.entries()) {
    if ((row.verdict ?? '').trim() === '') continue;
    const finding = byKey.get(row.finding_id || keyOf(row));
    const parsed = verdictSchema.safeParse({
      ...finding,
      verdict: row.verdict?.trim().toLowerCase(),
      reviewer: row.reviewer || options.reviewer,
      comment: row.comment || null,
      reviewedAt: options.now.toISOString(),
    });
    if (finding === undefined) refused.push({ row: index + 1, reason: `scan ${scan.id} has no such finding` });
    else if (!parsed.success)
      refused.push({ row: index + 1, reason: `verdict \`${row.verdict}\` is none of ${VERDICTS.join(', ')}` });
    else answered.set(finding.findingId, { finding, verdict: parsed.data, row: index + 1 });
  }
  const taken = [...answered.values()];
  if (taken.length > 0)
    await appendVerdicts(
      store,
      scan.pool,
      taken.map(({ verdict }) => verdict),
      options.now,
    );
  const accepted = taken.filter(({ verdict }) => verdict.verdict === 'accept');
  const { corrected, version } = await acceptProposals(store, pool, accepted, options.now, refused);
  return {
    scan: scan.id,
    pool: scan.pool,
    verdicts: taken.length,
    corrected,
    poolVersion: version,
    unanswered: findings.length - taken.length,
    refused,
  };
}

function findingsByKey(
  findings: readonly FindingRow[],
  pool: Pool,
  sizes: ReadonlyMap<string, IndexRow>,
): Map<string, FindingRow> {
  const byKey = new Map<string, FindingRow>();
  for (const finding of findings) {
    byKey.set(finding.findingId, finding);
    const size = sizes.get(finding.imageId);
    const [row] = exportScan([], [finding], pool.taxonomy, () => size ?? { width: 0, height: 0 }).findings;
    if (row !== undefined) byKey.set(keyOf(row), finding);
  }
  return byKey;
}

const keyOf = (row: Partial<Record<(typeof IDENTITY)[number], string>>): string =>
  IDENTITY.map((name) => row[name] ?? '').join('\u0000');

/** New revisions of the labels whose proposals were accepted; all of them in one new version of the pool. */
async function acceptProposals(
  store: ObjectStore,
  pool: Pool,
  accepted: readonly { finding: FindingRow; row: number }[],
  now: Date,
  refused: VerdictReport['refused'],
): Promise<{ corrected: number; version: number }> {
  const version = await pool.latestVersion();
  if (accepted.length === 0) return { corrected: 0, version };
  const index = new Map((await pool.readIndex(version)).map((row) => [row.imageId, row]));
  const byImage = new Map<string, { finding: FindingRow; row: number }[]>();
  for (const answer of accepted)
    byImage.set(answer.finding.imageId, [...(byImage.get(answer.finding.imageId) ?? []), answer]);
  const revised: IndexRow[] = [];
  for (const [imageId, answers] of byImage) {
    const image = index.get(imageId);
    const proposals: { proposal: string; value: number }[] = [];
    for (const { finding, row } of answers) {
      if (image === undefined || image.labelSha256 !== finding.labelSha256)
        refused.push({ row, reason: `the label of ${finding.fileName} was changed since the scan` });
      else if (finding.proposal === null || finding.suggestedClassId === null)
        refused.push({
          row,
          reason: `a ${finding.kind} has no proposal; correct the label of ${finding.fileName} by hand`,
        });
      else proposals.push({ proposal: finding.proposal, value: finding.suggestedClassId });
    }
    if (image === undefined || proposals.length === 0) continue;
    revised.push(await revise(store, pool.name, image, proposals, now));
  }
  return { corrected: revised.length, version: await pool.appendRows(revised, version) };
}

async function revise(
  store: ObjectStore,
  pool: string,
  image: IndexRow,
  proposals: readonly { proposal: string; value: number }[],
  now: Date,
): Promise<IndexRow> {
  const { pixels, width, height } = await decodeLabel(await readLabel(store, image), `label of ${image.fileName}`);
  const corrected = correctLabel(pixels, width, height, proposals);
  const encoded = await encodeLabel(corrected, width, height);
  const labelSha256 = createHash('sha256').update(encoded).digest('hex');
  const labelUri = keys.label(pool, labelSha256);
  await store.putIfAbsent(labelUri, encoded, 'image/png');
  const classes = [...new Set(corrected)].filter((value) => value !== 0 && value !== 255).sort((a, b) => a - b);
  return {
    ...image,
    labelUri,
    labelSha256,
    classes,
    labelRevision: image.labelRevision + 1,
    ingestedAt: now.toISOString(),
  };
}
