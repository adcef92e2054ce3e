import { basename } from 'node:path/posix';
import type { IndexRow } from '../domain/tables.js';

/** Digits of an id from which on it may be cut short, as messages show it. */
const SHORT_ID = 12;

/** What a name stands for: one image, several, or none. */
export type FoundImage = { row: IndexRow } | { several: IndexRow[] } | null;

/**
 * Images by what people call them: their id, its first 12 digits or more, their name in the pool, or the last part of that where
 * no whole name is meant. A name composed of other code points of the same letters (NFD) is the same name.
 */
export function imageFinder(rows: Iterable<IndexRow>): (name: string) => FoundImage {
  const byId = new Map<string, IndexRow>();
  const byName = new Map<string, IndexRow[]>();
  const byLastPart = new Map<string, IndexRow[]>();
  for (const row of rows) {
    byId.set(row.imageId, row);
    const name = row.fileName.normalize();
    push(byName, name, row);
    if (basename(name) !== name) push(byLastPart, basename(name), row);
  }
  let byShortId: Map<string, IndexRow[]> | null = null;
  return (name) => {
    const own = byId.get(name);
    if (own !== undefined) return { row: own };
    const named = byName.get(name.normalize()) ?? byLastPart.get(name.normalize());
    if (named !== undefined) return only(named);
    if (!/^[0-9a-f]{12,63}$/.test(name)) return null;
    byShortId ??= shortIds(byId.values());
    return only((byShortId.get(name.slice(0, SHORT_ID)) ?? []).filter(({ imageId }) => imageId.startsWith(name)));
  };
}

function shortIds(rows: Iterable<IndexRow>): Map<string, IndexRow[]> {
  const found = new Map<string, IndexRow[]>();
  for (const row of rows) push(found, row.imageId.slice(0, SHORT_ID), row);
  return found;
}

function push(map: Map<string, IndexRow[]>, key: string, row: IndexRow): void {
  const rows = map.get(key);
  if (rows === undefined) map.set(key, [row]);
  else rows.push(row);
}

const only = ([first, ...others]: IndexRow[]): FoundImage =>
  first === undefined ? null : others.length === 0 ? { row: first } : { several: [first, ...others] };
