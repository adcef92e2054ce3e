import { writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { DropLayout } from '../../domain/ingest/layout.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { readCoco } from '../../formats/coco/import.js';
import { readMaskManifest } from '../../formats/masks/import.js';
import type { ImportEntry } from '../../formats/reading/importItem.js';
import { withTagFile } from '../../formats/reading/tagFile.js';
import type { DropFiles } from './dropFiles.js';

export interface DropReading {
  files: DropFiles;
  /** A folder on this disk for the labels, which must be there until the last label is made. */
  scratch: string;
  signal: AbortSignal | undefined;
}

/**
 * The labelled images of a drop in the order of its labels. What a client may not decide is refused: images elsewhere,
 * which would be read with the operator's rights, and, unless the rules say otherwise, test images.
 *
 * @throws PartloopError `input-invalid` or `data-invalid` where the labels as a whole are of no use
 */
export async function* dropEntries(
  reading: DropReading,
  { labels, tags }: DropLayout,
  taxonomy: Taxonomy,
  rules: IngestRules,
): AsyncGenerator<ImportEntry> {
  if (labels === null) return;
  const read = await labelEntries(reading, labels, taxonomy, rules);
  for await (const entry of tags === null ? read : await tagged(read, reading, tags)) yield allowed(entry, rules);
}

async function labelEntries(
  { files, scratch, signal }: DropReading,
  labels: NonNullable<DropLayout['labels']>,
  taxonomy: Taxonomy,
  rules: IngestRules,
): Promise<AsyncIterable<ImportEntry>> {
  const { classMap, ignoreClasses, empty, maskValues: values, maxIgnored } = rules;
  if (labels.format === 'coco') {
    const { annotations: name, folders } = labels;
    const path = join(scratch, 'annotations.json');
    await files.copy(name, path);
    return readCoco({
      ...{ annotations: { name, path }, listed: files.inFolders(folders), taxonomy, empty, signal },
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
async function tagged(
  entries: AsyncIterable<ImportEntry>,
  { files, scratch }: DropReading,
  tags: string,
): Promise<AsyncIterable<ImportEntry>> {
  const path = join(scratch, 'tags.csv');
  await writeFile(path, await files.document(tags));
  return withTagFile(entries, path, tags);
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
