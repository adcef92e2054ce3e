import type { Receipt } from '../../../domain/ingest/receipt.js';
import type { Ledger, SentDrop } from '../ledger.js';
import type { There } from '../there.js';

const COUNTS = ['added', 'replaced', 'updated', 'restored', 'known', 'removedEarlier', 'refused'] as const;

/** Receipts that do not add up, in themselves or with what was sent and is there. */
export function receiptFaults({ drops }: Ledger, { receipts, images, open }: There): string[] {
  const known = new Set(drops.map(({ drop }) => drop));
  return [
    ...receipts.flatMap((receipt) => [
      ...(known.has(receipt.drop) ? [] : [`receipt ${receipt.arrival} is of drop ${receipt.drop}, which nobody sent`]),
      ...ownFaults(receipt, images.filter(({ importedBy }) => importedBy === receipt.arrival).length),
    ]),
    ...drops.flatMap((drop) =>
      dropFaults(
        drop,
        receipts.filter((receipt) => receipt.drop === drop.drop),
      ),
    ),
    ...open.map(({ drop, arrival }) => `drop ${drop} is not settled: its arrival ${arrival} has no receipt`),
  ];
}

function ownFaults(receipt: Receipt, inPool: number): string[] {
  const { arrival, drop, entries, added } = receipt;
  const total = COUNTS.reduce((sum, name) => sum + receipt[name], 0);
  return [
    ...(total === entries ? [] : [`receipt ${arrival} of drop ${drop} counts ${total} of ${entries} entries`]),
    ...(added === inPool ? [] : [`receipt ${arrival} of drop ${drop} says ${added} added; the pool has ${inPool}`]),
  ];
}

function dropFaults({ drop, entries, strays, receipts: wanted, mayBeReadTwice }: SentDrop, own: Receipt[]): string[] {
  const sum = (of: (receipt: Receipt) => number): number => own.reduce((total, receipt) => total + of(receipt), 0);
  const fated = (...fates: string[]): number => entries.filter(({ fate }) => fates.includes(fate)).length;
  const count = (outcome: Receipt['outcome']): number => own.filter((receipt) => receipt.outcome === outcome).length;
  const faults: string[] = [];
  const compare = (what: string, sent: number, there: number): void => {
    if (sent !== there) faults.push(`drop ${drop}: ${sent} ${what} are due, its receipts say ${there}`);
  };
  compare(
    'images to add',
    fated('taken'),
    sum(({ added }) => added),
  );
  compare(
    'entries to refuse',
    fated('leak', 'rejected'),
    sum(({ refused }) => refused),
  );
  compare(
    'files without a label',
    strays.length,
    sum((receipt) => receipt.strays),
  );
  compare(
    'removed images to leave out',
    fated('gone'),
    sum(({ removedEarlier }) => removedEarlier),
  );
  compare('receipts `repeated`', wanted.repeated, count('repeated'));
  compare('receipts `refused`', wanted.refused, count('refused'));
  if (mayBeReadTwice && own.length > 0) return faults;
  compare(
    'images known already',
    fated('twice'),
    sum(({ known }) => known),
  );
  compare('receipts `taken`', wanted.taken, count('taken'));
  return faults;
}
