/** Names that mean "no part" in other people's category lists. */
const BACKGROUND_NAMES: ReadonlySet<string> = new Set(['background', '_background_']);

/** What exports call the pixels that count nowhere; no class of a taxonomy can be named so. */
export const IGNORED_NAME = '_ignored_';

/** A class name as tools write it: case, blanks and dashes aside. */
export const plainClassName = (name: string): string =>
  name
    .normalize('NFC')
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');

/** What a category means that is no part, by its plain name; null if it is one. */
export function meaningOf(plain: string): 'background' | 'ignored' | null {
  if (BACKGROUND_NAMES.has(plain)) return 'background';
  return plain === IGNORED_NAME ? 'ignored' : null;
}
