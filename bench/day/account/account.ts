import type { Ledger } from '../ledger.js';
import type { There } from '../there.js';
import { imageFaults } from './images.js';
import { type IterationWait, iterationFaults, iterationWaits } from './iterations.js';
import { receiptFaults } from './receipts.js';
import { rejectionFaults } from './rejections.js';

/** A line of the account: a number as the clients know it, and as it is there. */
export interface Line {
  what: string;
  sent: number;
  there: number;
}

export interface Account {
  lines: Line[];
  waits: IterationWait[];
  /** A sentence for everything that is lost, there twice, or does not add up; empty if all is well. */
  faults: string[];
}

/** Compare what was sent in a day with what is there. */
export function account(ledger: Ledger, there: There, newImages: number): Account {
  const waits = iterationWaits(there, newImages);
  const lines = linesOf(ledger, there);
  return {
    ...{ lines, waits },
    faults: [
      ...lines.flatMap(({ what, sent, there }) =>
        sent === there ? [] : [`${what}: ${sent} sent, ${there} are there`],
      ),
      ...imageFaults(ledger, there),
      ...receiptFaults(ledger, there),
      ...rejectionFaults(ledger, there),
      ...inboxFaults(ledger, there),
      ...iterationFaults(ledger, there, waits),
    ],
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

function linesOf(ledger: Ledger, there: There): Line[] {
  const { drops, imported, removals, iterations } = ledger;
  const entries = drops.flatMap((drop) => drop.entries);
  const fated = (...fates: string[]): number => entries.filter(({ fate }) => fates.includes(fate)).length;
  const received = (field: 'added' | 'refused' | 'strays' | 'removedEarlier'): number =>
    sum(there.receipts.map((receipt) => receipt[field]));
  const outcomes = (outcome: string): number => there.receipts.filter((one) => one.outcome === outcome).length;
  const wanted = (outcome: 'taken' | 'repeated' | 'refused'): number =>
    sum(drops.map((drop) => drop.receipts[outcome]));
  const readTwice = sum(drops.filter((drop) => drop.mayBeReadTwice).map(({ drop }) => takenTwice(there, drop)));
  return [
    { what: 'images taken', sent: fated('taken'), there: received('added') },
    { what: 'images of the pool', sent: fated('taken') + imported.length, there: there.images.length },
    { what: 'entries refused, leaks among them', sent: fated('leak', 'rejected'), there: received('refused') },
    {
      what: 'images known already',
      sent: fated('twice'),
      there: sum(there.receipts.map(({ known }) => known)) - readTwice,
    },
    { what: 'images removed earlier', sent: fated('gone'), there: received('removedEarlier') },
    {
      what: 'files that no label names',
      sent: sum(drops.map((drop) => drop.strays.length)),
      there: received('strays'),
    },
    {
      what: 'images removed on request',
      sent: removals.length,
      there: there.images.filter((one) => one.removedAt).length,
    },
    { what: 'receipts: taken', sent: wanted('taken'), there: outcomes('taken') - extraArrivals(ledger, there) },
    { what: 'receipts: the same again', sent: wanted('repeated'), there: outcomes('repeated') },
    { what: 'receipts: refused as a whole', sent: wanted('refused'), there: outcomes('refused') },
    {
      what: 'files that wait on purpose',
      sent: sum(drops.map((drop) => drop.stays.length)),
      there: there.inbox.length,
    },
    { what: 'iterations', sent: iterations, there: there.iterations.length },
  ];
}

/** Images that a later arrival of a drop that grew found known, since an earlier one had brought them. */
function takenTwice({ receipts }: There, drop: string): number {
  return sum(
    receipts
      .filter((receipt) => receipt.drop === drop)
      .slice(1)
      .map(({ known }) => known),
  );
}

/** A drop that grows may be settled before it has grown: then it arrives once more. */
const extraArrivals = ({ drops }: Ledger, { receipts }: There): number =>
  sum(
    drops
      .filter((drop) => drop.mayBeReadTwice)
      .map(({ drop }) => Math.max(0, receipts.filter((receipt) => receipt.drop === drop).length - 1)),
  );

function inboxFaults({ drops }: Ledger, { inbox }: There): string[] {
  const expected = new Set(drops.flatMap(({ drop, stays }) => stays.map((path) => `${drop}/${path}`)));
  const found = new Set(inbox.map((key) => key.split('/').slice(2).join('/')));
  return [
    ...[...found].filter((path) => !expected.has(path)).map((path) => `${path} lies in the inbox still`),
    ...[...expected].filter((path) => !found.has(path)).map((path) => `${path} should wait in the inbox and is gone`),
  ];
}
