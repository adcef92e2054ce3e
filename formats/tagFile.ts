import { stat } from 'node:fs/promises';
import { PartloopError } from '../domain/errors.js';
import { imageFinder, isSameName } from '../domain/imageFinder.js';
import { TAG_NAMES } from '../domain/tags.js';
import { readCsvFile } from '../storage/table.js';
import { factsFrom, mergeFacts } from './facts.js';
import type { ImageFacts, ImportEntry, ImportItem } from './importItem.js';

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

/** What is said of each image, and the names of rows that say something of none. A whole name goes before the last part of one. */
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
    // Several may be called so as a whole: which of them counts is the import's to decide.
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
