import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import { DROP_MARKER, MAX_DROP_FILES, MAX_MARKER_BYTES, type Marker, markerSchema } from '../../domain/ingest/drop.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import { MAX_COCO_BYTES } from '../../formats/coco/import.js';
import { parseJsonText } from '../../formats/reading/jsonFile.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';

/** A rejected file goes through a disk, and its key grows by the names of its arrival. */
const MAX_FILE_BYTES = MAX_COCO_BYTES;
const MAX_PATH_BYTES = 700;

/** A file of a drop as it was listed; `path` is relative to the drop. */
export interface DropFile {
  path: string;
  size: number;
  etag: string;
  /** When it was written, ISO time: the same bytes written again are another arrival's. */
  writtenAt: string;
}

/** The files of a drop at one moment, in order of their paths. */
export interface DropListing {
  files: DropFile[];
  marker: DropFile;
  /** Why it cannot be a drop, as a sentence: too many files, or one that is too large or has too long a name. */
  problem: string | null;
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
  let problem: string | null = null;
  for await (const { key, size, etag, modifiedAt } of store.list(prefix)) {
    const file = { path: key.slice(prefix.length), size, etag, writtenAt: modifiedAt.toISOString() };
    problem ??= problemOf(file);
    if (file.path === DROP_MARKER) marker = file;
    else if (files.length <= maxFiles) files.push(file);
  }
  if (files.length > maxFiles) problem = `it has more than ${maxFiles} files: send it as several drops`;
  return marker === null ? null : { files: files.sort(byPath), marker, problem };
}

/** What could not be set aside if it were refused. */
function problemOf({ path, size }: DropFile): string | null {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    return `the name of ${path.slice(0, 100)}… has more than ${MAX_PATH_BYTES} bytes`;
  return size > MAX_FILE_BYTES ? `${path} has ${size} bytes, more than ${MAX_FILE_BYTES}` : null;
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
