import { createHash } from 'node:crypto';
import type { Taxonomy } from '../domain/taxonomy.js';

/** JSON with sorted keys, so equal inputs have equal digests. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) =>
    entry !== null && typeof entry === 'object' && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  );
}

/** sha256 of a value's canonical JSON, as hex. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/**
 * The digest under which models of a taxonomy are known: later changes of rules keep it, since the classes are the
 * same.
 */
export function digestOfTaxonomy(taxonomy: Taxonomy): string {
  return taxonomy.identity ?? digestOf(taxonomy);
}
