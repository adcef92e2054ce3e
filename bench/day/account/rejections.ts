import type { Ledger, SentFile } from '../ledger.js';
import type { RejectedFile, There } from '../there.js';

/** Files that should lie in `rejected/` with a reason and do not, or lie there and should not. */
export function rejectionFaults({ drops }: Ledger, { rejected }: There): string[] {
  const faults: string[] = [];
  const accounted = new Set<RejectedFile>();
  for (const { drop, entries, strays, receipts } of drops) {
    const own = rejected.filter((file) => file.drop === drop);
    const find = (path: string): RejectedFile[] => own.filter((file) => file.path === path);
    const expect = (path: string, sent: SentFile | null, reason: string): void => {
      const found = find(path);
      for (const file of found) accounted.add(file);
      const problem = problemOf(found, sent, reason);
      if (problem !== null) faults.push(`${path} of drop ${drop} ${problem}`);
    };
    for (const { fate, files, name, reason } of entries) {
      if (fate !== 'leak' && fate !== 'rejected') continue;
      for (const file of files) expect(file.path, file, reason ?? '');
      if (files.length === 0) expect(name, null, reason ?? '');
    }
    for (const file of strays) expect(file.path, file, 'no label of the drop names it');
    const whole = own.filter(({ path }) => path === '_DROP' || path === '');
    for (const file of whole) accounted.add(file);
    if (whole.length !== receipts.refused)
      faults.push(`drop ${drop} should be refused ${receipts.refused} times, and has ${whole.length} reasons for it`);
  }
  const others = rejected.filter((file) => !accounted.has(file));
  return [...faults, ...others.map(({ drop, path }) => `${path} of drop ${drop} is in rejected/, and should not be`)];
}

function problemOf(found: readonly RejectedFile[], sent: SentFile | null, reason: string): string | null {
  const [file, ...more] = found;
  if (file === undefined) return 'is lost: it should be in rejected/';
  if (more.length > 0) return `is in rejected/ ${found.length} times`;
  if (file.reason === null) return 'is in rejected/ without a reason';
  if (!new RegExp(reason).test(file.reason)) return `was rejected since “${file.reason}”, not for “${reason}”`;
  return file.sha256 === (sent?.sha256 ?? null) ? null : 'is in rejected/ with other bytes than were sent';
}
