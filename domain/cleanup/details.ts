import { counted } from '../base/counted.js';
import { oneLine } from '../base/oneLine.js';
import { GARBAGE } from './kinds.js';
import type { CleanUpResult } from './requests.js';

/** Bytes in megabytes, with one decimal. */
export const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** `12 objects, 3.4 MB`. */
export const amountText = ({ objects, bytes }: { objects: number; bytes: number }): string =>
  `${counted(objects, 'object', 'objects')}, ${megabytes(bytes)} MB`;

/** A clean-up as Markdown, for the Temporal UI. */
export function cleanUpDetails(result: CleanUpResult, isDone: boolean): string {
  const { deleted, kinds, running, unreadable, failed, failedCount, noUploads } = result;
  const what = deleted ? 'deleted' : 'found, none deleted';
  const table = [
    '',
    '| kind | objects | MB | content |',
    '|---|---:|---:|---|',
    ...kinds.map(({ kind, objects, bytes }) => `| ${kind} | ${objects} | ${megabytes(bytes)} | ${GARBAGE[kind]} |`),
  ];
  return [
    `${isDone ? '' : 'Looking. '}**${amountText(result)}** ${what}.`,
    ...(isDone && !deleted && kinds.length > 0 ? ['', 'To delete them, start `cleanUp` with `{"delete": true}`.'] : []),
    ...(kinds.length === 0 ? [] : table),
    ...running.map((id) => `\n\`${id}\` runs: its work is left alone.`),
    ...unreadable.map(({ key, why }) => `\nWhat depends on \`${key}\` is left alone: ${short(why)}`),
    ...failed.map(({ key, reason }) => `\n\`${key}\` is not deleted: ${short(reason)}`),
    ...(failedCount > failed.length ? [`\n${failedCount - failed.length} more are not deleted.`] : []),
    ...(noUploads === null ? [] : [`\nUploads that nobody ended are left alone: ${short(noUploads)}`]),
  ].join('\n');
}

const NAMED = 5;

/** The first objects that are still there, of so many. */
export function undeletedText(failed: CleanUpResult['failed'], count: number): string {
  const named = failed.slice(0, NAMED).map(({ key, reason }) => `${key} (${reason})`);
  const more = count > named.length ? ` and ${count - named.length} more` : '';
  return `these objects are not deleted: ${named.join(', ')}${more}`;
}

const REASON = 300;
const short = (text: string): string => oneLine(text).slice(0, REASON);
