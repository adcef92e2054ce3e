import type { Context } from 'hono';
import type { Queue } from '../../domain/board/batch.js';
import { lease, release } from '../../domain/board/leases.js';
import { changeLeases } from '../../storage/board.js';
import type { ScanDesk } from '../scanDesk.js';
import { sessionOf } from './requests.js';

/** The next of a queue for the tab that asks, and for no other; `first` comes first, whatever its place. */
export function takeNext(
  context: Context,
  desk: ScanDesk,
  queue: Queue,
  { ids, first, count }: { ids(): Iterable<string>; first: string | undefined; count: number },
): Promise<string[]> {
  const session = sessionOf(context);
  const inOrder = function* (): Generator<string> {
    if (first !== undefined) yield first;
    for (const id of ids()) if (id !== first) yield id;
  };
  return changeLeases(desk.store, placeOf(desk, queue), (leases) => {
    const made = lease(leases, { queue: inOrder(), session, count, now: new Date() });
    return { leases: made.leases, result: made.granted };
  });
}

/** Leave what the tab that asks has on its screen, and next to come, to others. */
export function leaveAll(context: Context, desk: ScanDesk, queue: Queue): Promise<null> {
  const session = sessionOf(context);
  return changeLeases(desk.store, placeOf(desk, queue), (leases) => ({
    leases: release(leases, session),
    result: null,
  }));
}

const placeOf = ({ pool, scan }: ScanDesk, queue: Queue) => ({ pool: pool.name, scan: scan.id, queue });
