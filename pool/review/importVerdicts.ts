import { PartloopError } from '../../domain/base/errors.js';
import { exportScan } from '../../domain/scan/export.js';
import { type FindingRow, findingRowSchema, type IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { listPools, openPool, type Pool } from '../../storage/pool/pool.js';
import { type FoundScan, findScan, poolScans } from '../../storage/scans.js';
import { streamTable } from '../../storage/tables/table.js';
import { ulid } from '../../storage/ulid.js';
import type { Recorded } from './record.js';
import { takeAnswers } from './takeAnswers.js';
import { type Answer, findingKey, readVerdictFile } from './verdictFile.js';

export interface VerdictImport {
  path: string;
  /** Absent if the scan tells it, or if there is only one pool. */
  pool?: string;
  /** The scan whose findings were answered; all scans of the pool if omitted. */
  scan?: string;
  /** The reviewer, if the file names none. */
  reviewer: string | null;
  now: Date;
}

export interface VerdictImportReport extends Recorded {
  pool: string;
  /** Answers that name a finding; of several answers to one finding the last counts. */
  answered: number;
  /** Findings of the named scan that the file does not answer; null if no scan was named. */
  unanswered: number | null;
  /** Rows that were not used. */
  refused: { row: number; reason: string }[];
  /** Accepted rows whose verdict counts but whose label stays as it is. */
  notApplied: { row: number; reason: string }[];
}

interface Known {
  answer: Answer;
  finding: FindingRow;
}

/**
 * Import answers to findings from a CSV file (`readVerdictFile`). `accept` also puts the proposed mask into the label,
 * as a new revision after the newest one; several accepted findings of an image are applied together. Nothing is
 * deleted. A second import of a file changes nothing, unless a label that it corrected was reset by something other
 * than a review.
 *
 * @throws PartloopError `data-invalid` for a file without the columns, `input-invalid` if it is unclear which pool is
 * meant
 */
export async function importVerdicts(store: ObjectStore, request: VerdictImport): Promise<VerdictImportReport> {
  const { now } = request;
  const scan = request.scan === undefined ? null : await findScan(store, request.scan);
  const pool = await openPool(store, await poolName(store, request.pool, scan));
  const { answers, refused, sha256 } = await readVerdictFile(request.path);
  const index = new Map((await pool.history()).images().map((row) => [row.imageId, row]));
  const wanted = new Set(answers.map(({ finding }) => finding));
  const { found, findings } = await findFindings(store, pool, scan, wanted, index);

  const known = new Map<string, Known>();
  for (const answer of answers) {
    const finding = found.get(answer.finding);
    if (finding !== undefined) known.set(finding.findingId, { answer, finding });
    else
      refused.push({
        row: answer.row,
        reason:
          scan === null ? `no scan of pool ${pool.name} has such a finding` : `scan ${scan.id} has no such finding`,
      });
  }
  const { notApplied, recorded } = await takeAnswers(store, pool, {
    ...{ id: ulid(now), scan: scan?.id ?? null, reviewer: request.reviewer, now },
    source: { exportId: null, tableSha256: sha256 },
    answers: [...known.values()].map(({ answer, finding }) => ({
      ...{ row: answer.row, finding, verdict: answer.verdict, redrawn: null },
      reviewer: answer.reviewer || request.reviewer,
      comment: answer.comment || null,
      answeredAt: now.toISOString(),
    })),
  });
  const unanswered = scan === null ? null : findings - known.size;
  refused.sort((a, b) => a.row - b.row);
  return { pool: pool.name, answered: known.size, unanswered, refused, notApplied, ...recorded };
}

/**
 * Findings by their names in the file, from one scan or from all scans of the pool, the newest first; and the number
 * read.
 */
async function findFindings(
  store: ObjectStore,
  pool: Pool,
  scan: FoundScan | null,
  wanted: ReadonlySet<string>,
  index: ReadonlyMap<string, IndexRow>,
): Promise<{ found: Map<string, FindingRow>; findings: number }> {
  const found = new Map<string, FindingRow>();
  const sizeOf = (imageId: string): { width: number; height: number } => index.get(imageId) ?? { width: 0, height: 0 };
  let findings = 0;
  for (const { findings: key } of scan === null ? await poolScans(store, pool.name) : [scan]) {
    if (scan === null && found.size === wanted.size) break;
    for await (const finding of streamTable(store, key, findingRowSchema)) {
      findings += 1;
      const [row = {}] = exportScan([], [finding], pool.taxonomy, sizeOf).findings;
      for (const name of [finding.findingId, findingKey(row)])
        if (wanted.has(name) && !found.has(name)) found.set(name, finding);
    }
  }
  return { found, findings };
}

async function poolName(store: ObjectStore, asked: string | undefined, scan: FoundScan | null): Promise<string> {
  if (scan !== null && asked !== undefined && asked !== scan.pool)
    throw new PartloopError('input-invalid', `scan ${scan.id} is of pool \`${scan.pool}\`, not \`${asked}\``);
  const name = scan?.pool ?? asked;
  if (name !== undefined) return name;
  const [first, ...others] = await listPools(store);
  if (first !== undefined && others.length === 0) return first;
  const there = first === undefined ? 'there is none yet' : `pools: ${[first, ...others].join(', ')}`;
  throw new PartloopError('input-invalid', `the pool of the verdicts is unknown; ${there}`, {
    hint: 'Name it with --pool, or the scan with --scan.',
  });
}
