const LETTERS = 24;
const DIGITS = 10;
const SETTINGS_DIGITS = 6;

/** The names of an audit: equal calls have equal names, so a call that died is found again. */
export interface AuditNames {
  pool: string;
  scan: string;
}

/**
 * @param file name of the annotation file without its folder
 * @param digest of what decides the pool, hex
 * @param settings digest of the settings of the scan that were given, hex; null if none were
 */
export function auditNames(
  file: string,
  { digest, minutes, settings }: { digest: string; minutes: number; settings: string | null },
): AuditNames {
  const pool = `audit-${slugOf(file)}-${digest.slice(0, DIGITS)}`;
  return { pool, scan: `${pool}-${minutes}m${settings === null ? '' : `-${settings.slice(0, SETTINGS_DIGITS)}`}` };
}

/** The name of a file for names of partloop: `Train set.json` -> `train-set`. */
export const slugOf = (file: string): string =>
  file
    .replace(/\.json$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LETTERS)
    .replace(/^-+|-+$/g, '') || 'labels';
