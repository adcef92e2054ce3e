import { stat } from 'node:fs/promises';
import { basename } from 'node:path/posix';
import { PartloopError } from '../domain/errors.js';
import { TAG_NAMES } from '../domain/tags.js';
import { readCsvFile } from '../storage/table.js';
import { factsFrom, mergeFacts } from './facts.js';
import type { ImageFacts, ImportEntry } from './importItem.js';

const MAX_BYTES = 256 * 2 ** 20;
/** Columns that name the image, the surest first. */
const NAME_COLUMNS = ['image_id', 'file_name', 'image', 'name'] as const;

/** What a tag file says: facts by image name or id, as they are written there. */
export type TagFile = ReadonlyMap<string, ImageFacts>;

/**
 * A CSV file with a header, one image a row: its name or id, and any of the tags, `vehicle_id`, `split` and `source`. An empty
 * cell says nothing.
 *
 * @throws PartloopError `input-invalid` naming the column or the row that is not as it should be
 */
export async function readTagFile(path: string): Promise<TagFile> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `--tags ${path} cannot be read`, { cause });
  });
  if (!facts.isFile() || facts.size > MAX_BYTES)
    throw new PartloopError('input-invalid', `--tags ${path} is no file of at most ${MAX_BYTES} bytes`);
  const rows = await readCsvFile(path);
  const [first] = rows;
  if (first === undefined) throw new PartloopError('input-invalid', `--tags ${path} has no rows`);
  const naming = NAME_COLUMNS.find((column) => Object.hasOwn(first, column));
  if (naming === undefined)
    throw new PartloopError('input-invalid', `--tags ${path} has the columns ${Object.keys(first).join(', ')}`, {
      hint: `One of ${NAME_COLUMNS.join(', ')} must name the image; the others are ${TAG_NAMES.join(', ')}, vehicle_id, split, source.`,
    });
  const said = new Map<string, ImageFacts>();
  for (const [index, row] of rows.entries()) {
    const { [naming]: name = '', ...fields } = row;
    const place = `--tags ${path}, row ${index + 1}`;
    const read = factsOf(fields, place);
    if (read.unknown.length > 0)
      throw new PartloopError('input-invalid', `--tags ${path} has unknown columns: ${read.unknown.join(', ')}`, {
        hint: `Known are ${TAG_NAMES.join(', ')}, vehicle_id, split, source.`,
      });
    if (name.trim() === '') throw new PartloopError('input-invalid', `${place} names no image`);
    if (said.has(name)) throw new PartloopError('input-invalid', `${place}: ${name} is there twice`);
    said.set(name, read.facts);
  }
  return said;
}

function factsOf(fields: Record<string, string>, place: string): ReturnType<typeof factsFrom> {
  try {
    return factsFrom(fields);
  } catch (error) {
    if (!(error instanceof PartloopError)) throw error;
    throw new PartloopError('input-invalid', `${place}: ${error.message}`, { cause: error });
  }
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
