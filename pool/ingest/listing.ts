import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import { DROP_MARKER, MAX_DROP_FILES, MAX_MARKER_BYTES, type Marker, markerSchema } from '../../domain/ingest/drop.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import { parseJsonText } from '../../formats/jsonFile.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';

/** A file of a drop as it was listed; `path` is relative to the drop. */
export interface DropFile {
  path: string;
  size: number;
  etag: string;
}

/** The files of a drop at one moment, in order of their paths. */
export interface DropListing {
  files: DropFile[];
  marker: DropFile;
  /** It has more files than a drop may have: some are not listed. */
  isTooLarge: boolean;
}

/** @returns null while there is no marker: the drop is still on its way */
export async function listDrop(
  store: ObjectStore,
  pool: string,
  drop: string,
  maxFiles = MAX_DROP_FILES,
): Promise<DropListing | null> {
  const prefix = keys.drop(pool, drop);
  const files: DropFile[] = [];
  let marker: DropFile | null = null;
  for await (const { key, size, etag } of store.list(prefix)) {
    const file = { path: key.slice(prefix.length), size, etag };
    if (file.path === DROP_MARKER) marker = file;
    else if (files.length <= maxFiles) files.push(file);
  }
  return marker === null ? null : { files: files.sort(byPath), marker, isTooLarge: files.length > maxFiles };
}

const byPath = (a: DropFile, b: DropFile): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** Folders that a console made visible: no files, and of no use. */
export const isPlaceholder = ({ path, size }: DropFile): boolean => path.endsWith('/') && size === 0;

/** The same files taken under the same rules have the same digest. */
export const digestOfDrop = ({ files, marker }: DropListing, rules: IngestRules): string =>
  digestOf({ files: files.map(({ path, size, etag }) => [path, size, etag]), marker: marker.etag, rules });

/** @throws PartloopError `data-invalid` for a marker that says something that markers do not say */
export async function readMarker(
  store: ObjectStore,
  pool: string,
  drop: string,
  { marker }: DropListing,
): Promise<Marker> {
  if (marker.size > MAX_MARKER_BYTES)
    throw new PartloopError('data-invalid', `${DROP_MARKER} has ${marker.size} bytes, more than ${MAX_MARKER_BYTES}`);
  const { body } = await store.get(`${keys.drop(pool, drop)}${DROP_MARKER}`, marker.etag);
  const text = new TextDecoder().decode(body).trim();
  if (text === '') return {};
  const { data, problem } = check(markerSchema, parseJsonText(text, DROP_MARKER));
  if (problem === null) return data;
  throw new PartloopError('data-invalid', `${DROP_MARKER}: ${problem}`, {
    hint: 'An empty marker is enough; else JSON with format, annotations, images, manifest, tags or files.',
  });
}
