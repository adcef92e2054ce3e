import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { parseJsonText } from '../../formats/reading/jsonFile.js';
import { readCsvFile } from '../../storage/tables/table.js';

const MAX_BYTES = 256 * 2 ** 20;
/** Columns and fields that name an image, the surest first. */
const NAMES = ['image_id', 'imageId', 'file_name', 'fileName'] as const;

const namedSchema = z.looseObject({
  image_id: z.string().optional(),
  imageId: z.string().optional(),
  file_name: z.string().optional(),
  fileName: z.string().optional(),
});
const entrySchema = z.union([z.string(), namedSchema.refine((value) => nameOf(value) !== null)]);

/**
 * Ids or file names of images from a file: one per line, a CSV table with `image_id` or `file_name`, or JSON with a
 * list of either, in the form of `import --json`, `scan show --json` and the lists of images that steps left out.
 *
 * @param list the list to use if a JSON file has several
 * @param read reads a list in the store, by its `s3://` URI: JSON, or one name per line
 * @throws PartloopError `input-invalid` if the file names no images
 */
export async function readImageList(
  path: string,
  list?: string,
  read?: (uri: string) => Promise<Uint8Array>,
): Promise<string[]> {
  const isStored = read !== undefined && path.startsWith('s3://');
  const text = isStored ? Buffer.from(await read(path)).toString('utf8') : await readText(path);
  const names = await namesIn(text.replace(/^\uFEFF/, ''), path, list);
  if (names.length === 0) throw new PartloopError('input-invalid', `--images ${path} names no image`);
  return [...new Set(names)];
}

async function readText(path: string): Promise<string> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `--images ${path} cannot be read`, { cause });
  });
  if (!facts.isFile() || facts.size > MAX_BYTES)
    throw new PartloopError('input-invalid', `--images ${path} is not a file of at most ${MAX_BYTES} bytes`);
  return readFile(path, 'utf8');
}

async function namesIn(text: string, path: string, list: string | undefined): Promise<string[]> {
  if (/^\s*[[{]/.test(text) && (path.endsWith('.json') || isJson(text)))
    return namesInJson(parseJsonText(text, path), path, list);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const header = (lines[0] ?? '').split(/[,;\t]/).map((name) => name.trim().replace(/^"|"$/g, ''));
  const naming = NAMES.find((name) => header.includes(name));
  if (naming === undefined) return lines;
  // A table of one column has no separator from which to recognise it.
  if (header.length === 1) return lines.slice(1).map((line) => line.trim().replace(/^"(.*)"$/, '$1'));
  if (path.startsWith('s3://'))
    throw new PartloopError('input-invalid', `--images ${path} is a table in the store`, {
      hint: 'Download it, and give the file.',
    });
  const rows = await readCsvFile(path);
  return rows.map((row) => row[naming] ?? '').filter((name) => name.trim() !== '');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function namesInJson(value: unknown, path: string, list: string | undefined): string[] {
  if (Array.isArray(value)) return entriesOf(value, path);
  const lists = Object.entries(z.record(z.string(), z.unknown()).parse(value)).filter(
    (entry): entry is [string, unknown[]] =>
      Array.isArray(entry[1]) && entry[1].length > 0 && entry[1].every((one) => entrySchema.safeParse(one).success),
  );
  const chosen = list === undefined ? lists : lists.filter(([name]) => name === list);
  const [first, ...others] = chosen;
  const there = lists.map(([name, entries]) => `${name} (${entries.length})`).join(', ');
  if (first === undefined) {
    const what = list === undefined ? 'has no list of images' : `has no list \`${list}\``;
    throw new PartloopError('input-invalid', `--images ${path} ${what}${there === '' ? '' : `; it has ${there}`}`);
  }
  if (others.length > 0) {
    throw new PartloopError('input-invalid', `--images ${path} has several lists: ${there}`, {
      hint: `Choose one of them, such as --list ${first[0]}.`,
    });
  }
  return entriesOf(first[1], path);
}

function entriesOf(entries: readonly unknown[], path: string): string[] {
  return entries.map((entry, index) => {
    const parsed = entrySchema.safeParse(entry);
    const name = !parsed.success ? null : typeof parsed.data === 'string' ? parsed.data : nameOf(parsed.data);
    if (name !== null) return name;
    throw new PartloopError('input-invalid', `--images ${path}, entry ${index + 1} names no image`, {
      hint: `Entries are names or ids, or objects with one of ${NAMES.join(', ')}.`,
    });
  });
}

function nameOf(value: z.output<typeof namedSchema>): string | null {
  for (const field of NAMES) {
    const name = value[field];
    if (name !== undefined && name !== '') return name;
  }
  return null;
}
