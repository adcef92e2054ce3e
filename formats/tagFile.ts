import { stat } from 'node:fs/promises';
import { basename } from 'node:path/posix';
import { counted } from '../domain/counted.js';
import { PartloopError } from '../domain/errors.js';
import { TAG_NAMES } from '../domain/tags.js';
import { readCsvFile } from '../storage/table.js';
import { factsFrom, mergeFacts } from './facts.js';
import type { ImageFacts, ImportEntry } from './importItem.js';

const MAX_BYTES = 256 * 2 ** 20;
const ROWS_NAMED = 10;
/** Columns that name the image, the surest first. */
const NAME_COLUMNS = ['image_id', 'file_name', 'image', 'name'] as const;

/** What a tag file says: facts by image name or id, as they are written there. */
export type TagFile = ReadonlyMap<string, ImageFacts>;

/**
 * A CSV file with a header, one image a row: its name or id, and any of the tags, `vehicle_id`, `split` and `source`. An empty
 * cell says nothing.
 *
 * @param named how messages name the file: with the option that gave it
 * @throws PartloopError `input-invalid` naming the columns and the rows that are not as they should be
 */
export async function readTagFile(path: string, named = `--tags ${path}`): Promise<TagFile> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${named} cannot be read`, { cause });
  });
  if (!facts.isFile() || facts.size > MAX_BYTES)
    throw new PartloopError('input-invalid', `${named} is no file of at most ${MAX_BYTES} bytes`);
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
        hint: `Known are ${TAG_NAMES.join(', ')}, vehicle_id, split, source.`,
      });
    const problem = name.trim() === '' ? 'it names no image' : said.has(name) ? `${name} is there twice` : null;
    if (problem !== null) bad.push(`row ${index + 1}: ${problem}`);
    else if (typeof read === 'string') bad.push(`row ${index + 1} (${name}): ${read}`);
    else said.set(name, read.facts);
  }
  if (bad.length > 0) throw badRows(named, bad);
  return said;
}

/** The facts of a row, or what is wrong with it. */
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
    `${named} has ${counted(bad.length, 'bad row', 'bad rows')}; nothing of it was taken:\n${lines.join('\n')}`,
    {
      hint: 'Correct these rows, or clear their cells: an empty cell says nothing. Row 1 is the one below the header.',
    },
  );
}

/** Entries of an import with what a tag file says on top of what they say themselves. */
export async function withTagFile(
  entries: AsyncIterable<ImportEntry>,
  path: string,
): Promise<AsyncGenerator<ImportEntry>> {
  const tags = await readTagFile(path);
  const [first = ''] = tags.keys();
  if (/^[0-9a-f]{64}$/.test(first))
    throw new PartloopError('input-invalid', `--tags ${path} names images by ids, which an import does not know yet`, {
      hint: 'Name them by file_name, or import first and run `partloop pool tag POOL FILE`.',
    });
  return tagged(entries, tags);
}

async function* tagged(entries: AsyncIterable<ImportEntry>, tags: TagFile): AsyncGenerator<ImportEntry> {
  const all: ImportEntry[] = [];
  for await (const entry of entries) all.push(entry);
  const names = new Set<string>();
  const ends = new Map<string, number>();
  for (const entry of all) {
    if (!('image' in entry)) continue;
    const name = entry.fileName.normalize();
    names.add(name);
    ends.set(basename(name), (ends.get(basename(name)) ?? 0) + 1);
  }
  const byName = new Map([...tags].map(([name, facts]) => [name.normalize(), { name, facts }]));
  const used = new Set<string>();
  for (const entry of all) {
    if (!('image' in entry)) {
      yield entry;
      continue;
    }
    // The last part of a name stands for an image where no image has it as a whole, and no other one ends so.
    const name = entry.fileName.normalize();
    const end = basename(name);
    const found = byName.get(name) ?? (!names.has(end) && ends.get(end) === 1 ? byName.get(end) : undefined);
    if (found !== undefined) used.add(found.name);
    yield found === undefined ? entry : { ...entry, facts: mergeFacts(entry.facts, found.facts) };
  }
  const unused = [...tags.keys()].filter((name) => !used.has(name));
  if (unused.length > 0)
    yield {
      notice: 'rows of the tag file name no image of this import, or more than one',
      count: unused.length,
      examples: unused.slice(0, 5),
    };
}
