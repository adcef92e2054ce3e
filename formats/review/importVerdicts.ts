import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { applySuggestion, isApplicable, type Suggestion } from '../../domain/correction.js';
import { PartloopError } from '../../domain/errors.js';
import type { Verdict } from '../../domain/review.js';
import type { FindingRow, IndexRow } from '../../domain/tables.js';
import { readLabel } from '../../storage/imageSource.js';
import { decodeLabel } from '../../storage/labelMask.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { listPools, openPool, type Pool } from '../../storage/pool.js';
import { findFindings } from '../../storage/scans.js';
import { readCsvFile } from '../../storage/table.js';
import { type Recorded, recordReview } from './record.js';
import { correctedRow } from './revisions.js';

const MAX_FILE_BYTES = 64 * 2 ** 20;
const WORDS = ['wrong', 'right', 'unsure', 'accept'] as const;

const lineSchema = z.object({
  finding_id: z.string().trim().min(1).max(64),
  verdict: z.string().trim().toLowerCase().pipe(z.enum(WORDS)),
  reviewer: z.string().trim().max(200).nullish(),
  comment: z.string().trim().max(2_000).nullish(),
});
type Line = z.output<typeof lineSchema>;

const proposalSchema = z.object({
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  counts: z.array(z.number().int().nonnegative()),
});

export interface VerdictImport {
  path: string;
  /** Left out where there is only one pool. */
  pool?: string;
  /** Who reviewed, where the file does not say. */
  reviewer: string | null;
  now: Date;
}

export interface VerdictImportReport extends Recorded {
  pool: string;
  /** Lines of the file. */
  lines: number;
  refused: { line: number; reason: string }[];
  /** Finding ids that no scan of the pool knows. */
  unknown: string[];
  /** Accepted findings that propose nothing: the verdict counts, the label stays as it is. */
  withoutProposal: string[];
}

/**
 * Take verdicts from a CSV file with the columns `finding_id,verdict[,reviewer,comment]`. The verdict `accept` also puts the
 * proposed mask into the label, as a new revision; several accepted findings of an image are applied together.
 *
 * @throws PartloopError `input-invalid` for a file without these columns
 */
export async function importVerdicts(store: ObjectStore, request: VerdictImport): Promise<VerdictImportReport> {
  const { now } = request;
  const pool = await openPool(store, request.pool ?? (await onlyPool(store)));
  const { lines, refused, total } = await readLines(request.path);
  const findings = await findFindings(store, pool.name, new Set(lines.map(({ finding_id }) => finding_id)));
  const base = await pool.latestVersion();
  const index = new Map((await pool.readIndex(base)).map((row) => [row.imageId, row]));

  const last = new Map(lines.map((line) => [line.finding_id, line]));
  const known = [...last.values()].flatMap((line) => {
    const finding = findings.get(line.finding_id);
    return finding === undefined ? [] : [{ line, finding }];
  });
  const accepted = known.filter(({ line }) => line.verdict === 'accept').map(({ finding }) => finding);
  const applicable = accepted.filter((finding) => isApplicable(suggestionOf(finding)));
  const { rows, corrected } = await applyAll(store, pool, applicable, index, now);

  const verdicts = known.map(({ line, finding }): Verdict => {
    const { findingId, imageId, labelSha256, kind, classId, suggestedClassId, x0, y0, x1, y1, pWrong } = finding;
    return {
      findingId,
      imageId,
      labelSha256,
      kind,
      classId,
      suggestedClassId,
      box: [x0, y0, x1, y1],
      verdict: line.verdict === 'accept' ? 'wrong' : line.verdict,
      pWrong,
      propensity: null,
      correctedSha256: corrected.get(findingId) ?? null,
      reviewer: line.reviewer ?? request.reviewer,
      comment: line.comment ?? null,
      at: now.toISOString(),
    };
  });
  const recorded = await recordReview(store, pool, base, rows, verdicts, now);
  return {
    pool: pool.name,
    lines: total,
    refused,
    unknown: [...last.keys()].filter((id) => !findings.has(id)),
    withoutProposal: accepted
      .filter((finding) => !corrected.has(finding.findingId))
      .map((finding) => finding.findingId),
    ...recorded,
  };
}

async function onlyPool(store: ObjectStore): Promise<string> {
  const [first, ...others] = await listPools(store);
  if (first !== undefined && others.length === 0) return first;
  const there = first === undefined ? 'there is none yet' : `pools: ${[first, ...others].join(', ')}`;
  throw new PartloopError('input-invalid', `the verdicts are of which pool? ${there}`, {
    hint: 'Name it with --pool.',
  });
}

async function readLines(
  path: string,
): Promise<{ lines: Line[]; refused: VerdictImportReport['refused']; total: number }> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${path} cannot be read`, { cause });
  });
  if (facts.size > MAX_FILE_BYTES)
    throw new PartloopError('input-invalid', `${path} has ${facts.size} bytes, more than ${MAX_FILE_BYTES}`);
  const records = (await readCsvFile(path)).map((record) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name.trim().toLowerCase(), value])),
  );
  const [first] = records;
  if (first !== undefined && !('finding_id' in first && 'verdict' in first))
    throw new PartloopError('input-invalid', `${path} has columns ${Object.keys(first).join(', ')}`, {
      hint: 'It needs finding_id and verdict; reviewer and comment are optional.',
    });
  const lines: Line[] = [];
  const refused: VerdictImportReport['refused'] = [];
  records.forEach((record, at) => {
    const parsed = lineSchema.safeParse(record);
    if (parsed.success) lines.push(parsed.data);
    else refused.push({ line: at + 2, reason: z.prettifyError(parsed.error) });
  });
  return { lines, refused, total: records.length };
}

/** Accepted findings to labels, image by image: on top of the newest revision, whichever label the finding was made for. */
async function applyAll(
  store: ObjectStore,
  pool: Pool,
  findings: readonly FindingRow[],
  index: ReadonlyMap<string, IndexRow>,
  now: Date,
): Promise<{ rows: IndexRow[]; corrected: Map<string, string> }> {
  const rows: IndexRow[] = [];
  const corrected = new Map<string, string>();
  for (const imageId of new Set(findings.map((finding) => finding.imageId))) {
    const row = index.get(imageId);
    if (row === undefined) continue;
    const own = findings.filter((finding) => finding.imageId === imageId);
    const { pixels } = await decodeLabel(await readLabel(store, row), `label of ${row.fileName}`);
    const label = own.reduce(
      (so, finding) => applySuggestion(so, row.width, row.height, suggestionOf(finding)),
      pixels,
    );
    const changed = await correctedRow(store, pool, row, label, now);
    if (changed !== null) rows.push(changed);
    for (const { findingId } of own) corrected.set(findingId, (changed ?? row).labelSha256);
  }
  return { rows, corrected };
}

function suggestionOf({ findingId, classId, suggestedClassId, proposal }: FindingRow): Suggestion {
  if (proposal === null) return { classId, suggestedClassId, proposal: null };
  const parsed = proposalSchema.safeParse(JSON.parse(proposal));
  if (!parsed.success)
    throw new PartloopError(
      'data-invalid',
      `finding ${findingId} has a damaged proposal: ${z.prettifyError(parsed.error)}`,
    );
  return { classId, suggestedClassId, proposal: parsed.data };
}
