import type { QueueFilter } from '../../domain/board/queue.js';
import type { ScanDesk } from '../scanDesk.js';

/** What a page about one scan is made from. */
export interface ScanPage {
  desk: ScanDesk;
  filter: QueueFilter;
  reviewer: string;
  /** Scans of the same loop, or outside loops of the same pool, the newest first; this one among them. */
  siblings: readonly string[];
}

/** What the script of such a page has to know; it stands in the page as text. A page may have no filter. */
export function settingOf({
  desk,
  filter,
  reviewer,
}: Pick<ScanPage, 'desk' | 'reviewer'> & { filter?: QueueFilter }): string {
  return JSON.stringify({
    ...{ scan: desk.scan.id, reviewer, filter: filter === undefined ? '' : queryOf(filter) },
    names: desk.names.map((name) => name.replaceAll('_', ' ')),
  });
}

/** A filter as the query of an address, without `?`. */
export function queryOf(filter: QueueFilter): string {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  return new URLSearchParams(Object.fromEntries(asked.map(([name, value]) => [name, String(value)]))).toString();
}
