import { appendFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import { nameSchema, sha256Schema } from '../../domain/base/ids.js';
import { DATASET_FORMATS, SPLITS } from '../../formats/dataset.js';
import { parseJsonText } from '../../formats/reading/jsonFile.js';

/** There while an export is not complete: what it is of, then one line for each piece that is. */
const JOURNAL = 'export.partial.jsonl';
/** Written last: what the export is of, its files with their digests, and what was left out. */
const FACTS = 'partloop-export.json';

const count = z.number().int().nonnegative();

const requestSchema = z.object({
  pool: nameSchema,
  version: count,
  format: z.enum(DATASET_FORMATS),
  split: z.enum(SPLITS).nullable(),
  images: z.enum(['copy', 'link']),
});
/** What decides the files of an export: another one in its folder cannot go on with them. */
export type FolderRequest = z.output<typeof requestSchema>;

const headSchema = requestSchema.extend({ createdAt: z.iso.datetime() });

const leftOutSchema = z.object({ imageId: sha256Schema, fileName: z.string(), reason: z.string() });
export type LeftOutOfExport = z.output<typeof leftOutSchema>;

const pieceSchema = z.object({
  split: z.enum(SPLITS),
  file: z.string(),
  images: count,
  bytes: count,
  sha256: sha256Schema,
});

const stepSchema = z.object({
  piece: pieceSchema,
  /** Images of the split that are done with it, those left out among them. */
  taken: count,
  /** Of the images since the step before: written anew since EXIF turned them, and without a class. */
  turned: count,
  unlabelled: count,
  leftOut: z.array(leftOutSchema),
});
/** A complete piece, and what became of the images since the one before. */
export type ExportStep = z.output<typeof stepSchema>;

/** The folder of an export that is under way. */
export interface ExportFolder {
  createdAt: string;
  /** What an earlier run of the same export completed. */
  steps: readonly ExportStep[];
  note(step: ExportStep): Promise<void>;
  /** Say that the export is complete. */
  complete(facts: object): Promise<void>;
}

/**
 * A folder to export into: a new or empty one, or that of the same export, which was interrupted and goes on.
 *
 * @throws PartloopError `input-invalid` for a folder with anything else in it
 */
export async function openExportFolder(out: string, request: FolderRequest, now: Date): Promise<ExportFolder> {
  await mkdir(out, { recursive: true });
  const journal = join(out, JOURNAL);
  const there = await readdir(out);
  const earlier = there.includes(FACTS) ? null : await readFile(journal, 'utf8').catch(() => null);
  if (earlier === null && there.length > 0) {
    const what = there.includes(FACTS) ? 'holds an export that is complete' : 'is not empty';
    throw new PartloopError('input-invalid', `${out} ${what}`, { hint: 'Give a new folder with --out.' });
  }
  const { createdAt, steps } =
    earlier === null ? { createdAt: now.toISOString(), steps: [] } : goOn(earlier, out, request);
  // Without a last line that was cut short: what is noted from now on begins a line of its own.
  const lines = [{ ...request, createdAt }, ...steps].map((line) => `${JSON.stringify(line)}\n`);
  await writeFile(`${journal}.new`, lines.join(''));
  await rename(`${journal}.new`, journal);
  return {
    createdAt,
    steps,
    note: (step) => appendFile(journal, `${JSON.stringify(step)}\n`),
    async complete(facts) {
      const file = await open(join(out, FACTS), 'w');
      try {
        await file.writeFile(`${JSON.stringify(facts, null, 1)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rm(journal);
    },
  };
}

function goOn(text: string, out: string, request: FolderRequest): { createdAt: string; steps: ExportStep[] } {
  const [first = '', ...rest] = text.split('\n');
  const refuse = (why: string): never => {
    throw new PartloopError('input-invalid', `${out} holds an unfinished export, which cannot go on: ${why}`, {
      hint: 'Remove the folder, or give a new one with --out.',
    });
  };
  const head = check(headSchema, jsonOf(first, out));
  if (head.data === null) return refuse(`its ${JOURNAL} is not valid`);
  const { createdAt, ...earlier } = head.data;
  if (earlier.pool === request.pool && earlier.version !== request.version)
    refuse(`pool ${request.pool} was at version ${earlier.version}, and is at ${request.version} now`);
  for (const key of Object.keys(request) as (keyof FolderRequest)[])
    if (earlier[key] !== request[key]) refuse(`its ${key} was ${earlier[key] ?? 'any'}, not ${request[key] ?? 'any'}`);
  const steps: ExportStep[] = [];
  for (const line of rest) {
    const { data } = check(stepSchema, jsonOf(line, out));
    // The last line may be cut short: its piece is written again.
    if (data === null) break;
    steps.push(data);
  }
  return { createdAt, steps };
}

function jsonOf(line: string, origin: string): unknown {
  try {
    return parseJsonText(line, origin);
  } catch {
    return null;
  }
}
