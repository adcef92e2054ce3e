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

/** What a tag file says of an image, by its whole name, else by its last part where that is what the file has. */
export const factsOfName = (tags: TagFile, name: string): { key: string; facts: ImageFacts } | null => {
  for (const key of [name, basename(name)]) {
    const facts = tags.get(key);
    if (facts !== undefined) return { key, facts };
  }
  return null;
};

/** Entries of an import with what a tag file says on top of what they say themselves. */
export async function withTagFile(
  entries: AsyncIterable<ImportEntry>,
  path: string,
): Promise<AsyncGenerator<ImportEntry>> {
  const tags = await readTagFile(path);
  return tagged(entries, tags);
}

async function* tagged(entries: AsyncIterable<ImportEntry>, tags: TagFile): AsyncGenerator<ImportEntry> {
  const used = new Set<string>();
  for await (const entry of entries) {
    const found = 'image' in entry ? factsOfName(tags, entry.fileName) : null;
    if (found !== null) used.add(found.key);
    yield 'image' in entry && found !== null ? { ...entry, facts: mergeFacts(entry.facts, found.facts) } : entry;
  }
  const unused = [...tags.keys()].filter((name) => !used.has(name));
  if (unused.length > 0)
    yield {
      notice: 'rows of the tag file name no image of this import',
      count: unused.length,
      examples: unused.slice(0, 5),
    };
}
