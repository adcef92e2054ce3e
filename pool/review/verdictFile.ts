import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { VERDICTS } from '../../domain/review/review.js';
import { WHOLE_LABEL } from '../../domain/scan/findingClass.js';
import { readCsvFile } from '../../storage/tables/table.js';

const MAX_FILE_BYTES = 64 * 2 ** 20;

/** Columns of `findings.csv` that identify a finding; `finding_id` alone does if the file has it. */
const IDENTITY = ['image_id', 'kind', 'class', 'suggested_class', 'bbox'] as const;

const text = z.string().trim();
const answerSchema = z.object({
  verdict: text
    .toLowerCase()
    .pipe(z.enum(VERDICTS, { error: ({ input }) => `verdict \`${input}\` is none of ${VERDICTS.join(', ')}` })),
  reviewer: text.max(200).default(''),
  comment: text.max(2_000).default(''),
});

/** One row of a file of answers. */
export interface Answer extends z.output<typeof answerSchema> {
  /** 1 is the first row below the header. */
  row: number;
  /** A finding id, or `findingKey` of the finding. */
  finding: string;
}

export interface VerdictFile {
  /** Digest of the file. */
  sha256: string;
  answers: Answer[];
  refused: { row: number; reason: string }[];
}

/**
 * The identifying columns of a finding in `findings.csv`, as one text; older files have `background` for the whole
 * label.
 */
export const findingKey = (row: Partial<Record<(typeof IDENTITY)[number], string>>): string =>
  IDENTITY.map((name) => (row[name] === WHOLE_LABEL ? 'background' : (row[name] ?? ''))).join('\u0000');

/**
 * The answers of a CSV file: the `findings.csv` of a scan, or any table with `finding_id`, with a column `verdict` (and
 * optional `reviewer`, `comment`). Rows without an answer are skipped.
 *
 * @throws PartloopError `data-invalid` if the file is no such table
 */
export async function readVerdictFile(path: string): Promise<VerdictFile> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${path} cannot be read`, { cause });
  });
  if (facts.size > MAX_FILE_BYTES)
    throw new PartloopError('input-invalid', `${path} has ${facts.size} bytes, more than ${MAX_FILE_BYTES}`);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  const rows = await readCsvFile(path);
  const columns = Object.keys(rows[0] ?? {});
  const identified = columns.includes('finding_id') || IDENTITY.every((name) => columns.includes(name));
  if (rows.length > 0 && !(columns.includes('verdict') && identified)) {
    throw new PartloopError('data-invalid', `${path} has the columns ${columns.join(', ')}`, {
      hint: `It needs \`verdict\`, and either \`finding_id\` or ${IDENTITY.join(', ')}: add \`verdict\` to the findings.csv that \`partloop scan export\` writes.`,
    });
  }
  const file: VerdictFile = { sha256, answers: [], refused: [] };
  rows.forEach((row, index) => {
    if ((row.verdict ?? '').trim() === '') return;
    const parsed = answerSchema.safeParse(row);
    const finding = (row.finding_id ?? '').trim() || findingKey(row);
    if (parsed.success) file.answers.push({ ...parsed.data, row: index + 1, finding });
    else file.refused.push({ row: index + 1, reason: parsed.error.issues.map(({ message }) => message).join('; ') });
  });
  return file;
}
