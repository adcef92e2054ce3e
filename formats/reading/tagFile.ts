import { stat } from 'node:fs/promises';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { imageFinder, isSameName } from '../../domain/images/imageFinder.js';
import { TAG_NAMES } from '../../domain/tags.js';
import { readCsvFile } from '../../storage/tables/table.js';
import { factsFrom, mergeFacts } from '../facts.js';
import type { ImageFacts, ImportEntry, ImportItem } from './importItem.js';

const MAX_BYTES = 256 * 2 ** 20;
const ROWS_NAMED = 10;
/** Columns that name the image, the surest first. */
const NAME_COLUMNS = ['image_id', 'file_name', 'image', 'name'] as const;

/** The content of a tag file: facts by image name or id, as written there. */
export type TagFile = ReadonlyMap<string, ImageFacts>;

/**
 * A CSV file with a header, one image per row: its name or id, and any of the tags, `vehicle_id`, `split` and `source`.
 * An empty cell sets nothing.
 *
 * @param named the file's name in messages, with the option that gave it
 * @throws PartloopError `input-invalid` naming the bad columns and rows
 */
export async function readTagFile(path: string, named = `--tags ${path}`): Promise<TagFile> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${named} cannot be read`, { cause });
  });
  if (!facts.isFile() || facts.size > MAX_BYTES)
    throw new PartloopError('input-invalid', `${named} is not a file of at most ${MAX_BYTES} bytes`);
  const rows = await readCsvFile(path);
  const [first] = rows;
  if (first === undefined) throw new PartloopError('input-invalid', `${named} has no rows`);
  const naming = NAME_COLUMNS.find((column) => Object.hasOwn(first, column));
  if (naming === undefined)
    throw new PartloopError('input-invalid', `${named} has the columns ${Object.keys(first).join(', ')}`, {
      hint: `One of ${NAME_COLUMNS.join(', ')} must name the image; the others are ${TAG_NAMES.join(', ')}, vehicle_id, split, source.`,
    });
  const said = new Map<string, ImageFacts>();
  const bad: string[] = [];
  for (const [index, row] of rows.entries()) {
    const { [naming]: name = '', ...fields } = row;
    const read = factsOf(fields);
    if (typeof read !== 'string' && read.unknown.length > 0)
      throw new PartloopError('input-invalid', `${named} has unknown columns: ${read.unknown.join(', ')}`, {
        hint: `Known columns: ${TAG_NAMES.join(', ')}, vehicle_id, split, source.`,
      });
    const problem = name.trim() === '' ? 'it names no image' : said.has(name) ? `${name} appears twice` : null;
    if (problem !== null) bad.push(`row ${index + 1}: ${problem}`);
    else if (typeof read === 'string') bad.push(`row ${index + 1} (${name}): ${read}`);
    else said.set(name, read.facts);
  }
  if (bad.length > 0) throw badRows(named, bad);
  return said;
}

/** The facts of a row, or its problem. */
function factsOf(fields: Record<string, string>): ReturnType<typeof factsFrom> | string {
  try {
    return factsFrom(fields);
  } catch (error) {
    if (error instanceof PartloopError) return error.message;
    throw error;
  }
}

function badRows(named: string, bad: readonly string[]): PartloopError {
  const more = bad.length > ROWS_NAMED ? [`… and ${bad.length - ROWS_NAMED} more`] : [];
  const lines = [...bad.slice(0, ROWS_NAMED), ...more];
  return new PartloopError(
    'input-invalid',
    `${named} has ${counted(bad.length, 'bad row', 'bad rows')}; no row was taken:\n${lines.join('\n')}`,
    {
      hint: 'Correct these rows, or clear their cells: an empty cell changes nothing. Row 1 is the one below the header.',
    },
  );
}

/**
 * Entries of an import with what a tag file says on top of what they say themselves.
 *
 * @param named how messages name the file
 */
export async function withTagFile(
  entries: AsyncIterable<ImportEntry>,
  path: string,
  named = `--tags ${path}`,
): Promise<AsyncGenerator<ImportEntry>> {
  const tags = await readTagFile(path, named);
  const [first = ''] = tags.keys();
  if (/^[0-9a-f]{64}$/.test(first))
    throw new PartloopError('input-invalid', `${named} names images by ids, which an import does not know yet`, {
      hint: 'Name them by file_name, or import first and run `partloop pool tag POOL FILE`.',
    });
  return tagged(entries, tags);
}

async function* tagged(entries: AsyncIterable<ImportEntry>, tags: TagFile): AsyncGenerator<ImportEntry> {
  const all: ImportEntry[] = [];
  for await (const entry of entries) all.push(entry);
  const { said, unused } = match(
    all.filter((entry) => 'image' in entry),
    tags,
  );
  for (const entry of all) {
    const facts = 'image' in entry ? said.get(entry) : undefined;
    yield 'image' in entry && facts !== undefined ? { ...entry, facts: mergeFacts(entry.facts, facts) } : entry;
  }
  if (unused.length > 0)
    yield {
      notice: 'rows of the tag file name no image of this import, or more than one',
      count: unused.length,
      examples: unused.slice(0, 5),
    };
}

/**
 * The facts of each image, and the names of rows that match none. A whole name takes precedence over the last part of
 * one.
 */
function match(
  items: readonly ImportItem[],
  tags: TagFile,
): { said: ReadonlyMap<ImportItem, ImageFacts>; unused: string[] } {
  const find = imageFinder(items);
  const said = new Map<ImportItem, ImageFacts>();
  const names = new Map<ImportItem, string>();
  for (const [name, facts] of tags) {
    const found = find(name);
    if (found === null) continue;
    const isWhole = ({ fileName }: ImportItem): boolean => isSameName(fileName, name);
    // Several may have this whole name: the import decides which one counts.
    const meant = 'image' in found ? [found.image] : found.several.filter(isWhole);
    for (const item of meant) {
      if (said.has(item) && !isWhole(item)) continue;
      said.set(item, facts);
      names.set(item, name);
    }
  }
  const used = new Set(names.values());
  return { said, unused: [...tags.keys()].filter((name) => !used.has(name)) };
}
