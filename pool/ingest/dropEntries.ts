import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import type { DropLayout } from '../../domain/ingest/layout.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { readCoco } from '../../formats/coco/import.js';
import { readMaskManifest } from '../../formats/masks/import.js';
import type { ImportEntry } from '../../formats/reading/importItem.js';
import { parseJsonText } from '../../formats/reading/jsonFile.js';
import { withTagFile } from '../../formats/reading/tagFile.js';
import type { DropFiles } from './dropFiles.js';

/**
 * The labelled images of a drop in the order of its labels. What a client may not decide is refused: images elsewhere,
 * which would be read with the operator's rights, and, unless the rules say otherwise, test images.
 *
 * @throws PartloopError `input-invalid` or `data-invalid` where the labels as a whole are of no use
 */
export async function* dropEntries(
  files: DropFiles,
  { labels, tags }: DropLayout,
  taxonomy: Taxonomy,
  rules: IngestRules,
): AsyncGenerator<ImportEntry> {
  if (labels === null) return;
  const read = await labelEntries(files, labels, taxonomy, rules);
  for await (const entry of tags === null ? read : tagged(read, files, tags)) yield allowed(entry, rules);
}

async function labelEntries(
  files: DropFiles,
  labels: NonNullable<DropLayout['labels']>,
  taxonomy: Taxonomy,
  rules: IngestRules,
): Promise<AsyncIterable<ImportEntry>> {
  const { classMap, ignoreClasses, empty, maskValues: values, maxIgnored } = rules;
  if (labels.format === 'coco') {
    const { annotations: name, folders } = labels;
    const content = parseJsonText((await files.document(name)).toString('utf8'), name);
    return readCoco({
      ...{ annotations: { name, content }, listed: files.inFolders(folders), taxonomy, empty },
      classes: { map: new Map(Object.entries(classMap)), leaveOut: new Set(ignoreClasses), isForMany: true },
    });
  }
  const name = labels.manifest;
  const lines = (await files.document(name)).toString('utf8').split(/\r?\n/);
  const folder = posix.dirname(name);
  const listed = files.inFolders([folder === '.' ? '' : `${folder}/`]);
  return readMaskManifest({ manifest: { name, lines, listed }, values, maxIgnored });
}

/** With a table of tags, which its reader wants as a file. */
async function* tagged(
  entries: AsyncIterable<ImportEntry>,
  files: DropFiles,
  tags: string,
): AsyncGenerator<ImportEntry> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-drop-'));
  try {
    const path = join(folder, 'tags.csv');
    await writeFile(path, await files.document(tags));
    yield* await withTagFile(entries, path, tags);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function allowed(entry: ImportEntry, { source, testImages }: IngestRules): ImportEntry {
  if (!('image' in entry)) return entry;
  const { fileName, facts, image, origin } = entry;
  const refused = (reason: string): ImportEntry => ({ fileName, reason, ...(origin === undefined ? {} : { origin }) });
  if (image.kind === 'registered')
    return refused('a drop brings its pictures along: it must not name pictures elsewhere');
  if (facts.split === 'test' && testImages === 'reject')
    return refused('it says that it belongs to the test set: the rules of the pool reject test images of drops');
  return { ...entry, facts: { ...facts, source: facts.source ?? source } };
}
