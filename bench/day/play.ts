import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { say } from '../../cli/terminal/output.js';
import type { LoopStatus } from '../../domain/messages.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { DayClients } from './client.js';
import type { PlannedDrop } from './drops/making.js';
import type { Parcel } from './drops/parcel.js';
import { type DayPlan, DROP_SIZE } from './drops/plan.js';
import { LOOP, POOL, setRules } from './setUp.js';
import { type Repair, Watcher } from './watcher.js';

/** Drops that are sent between the parcels of one. */
const LATER = 2;
/** Pause between drops. */
const PAUSE_MS = 1_000;

interface Act {
  planned: PlannedDrop;
  parcel: Parcel;
}

/** All parcels of a day in the order in which they are sent. */
export function actsOf(drops: readonly PlannedDrop[]): Act[] {
  const timed = drops.flatMap((planned, number) => {
    let at = number;
    return planned.parcels.map((parcel, part) => {
      if (parcel.when === 'later') at += LATER + 0.5;
      return { at: at + part / 100, act: { planned, parcel } };
    });
  });
  return timed.sort((a, b) => a.at - b.at).map(({ act }) => act);
}

/** Play a day: send its drops while the loop works, and repair what fails. Ends when all is settled. */
export async function playDay(
  { store, client, signal }: { store: ObjectStore; client: Client; signal: AbortSignal },
  { drops, ledger, newImages }: DayPlan,
): Promise<readonly Repair[]> {
  const clients = new DayClients(store, client, POOL);
  const watcher = new Watcher(store, client, POOL, LOOP, signal);
  let sent = 0;
  let isBroken = ledger.failing === null;
  for (const { planned, parcel } of actsOf(drops)) {
    const { drop, kind, entries } = planned.sent;
    if (parcel.when === 'later') await untilRead(clients, planned, signal);
    const isDue = ({ nextIteration, phase }: LoopStatus): boolean => {
      // Never more images ahead than the loop draws in two iterations.
      const started = phase === 'running' ? nextIteration : nextIteration - 1;
      return sent < (started + 2) * newImages;
    };
    if (!isBroken && ledger.failing !== null && sent + DROP_SIZE >= ledger.failing * newImages) {
      const { failing } = ledger;
      await watcher.until((status) => status.phase === 'waiting for images' && status.nextIteration === failing);
      await watcher.breakNext();
      isBroken = true;
    }
    if (parcel.when !== 'at once') await watcher.until(isDue);
    await clients.send(drop, parcel);
    if (parcel.when === 'in turn') {
      sent += entries.filter(({ fate }) => fate === 'taken').length;
      say(`${drop} (${kind}, ${planned.sent.format}): sent; ${sent} good images so far`);
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
  // Under other rules a drop that comes again would not be the same.
  for (const { sent: one } of drops) {
    const { taken, repeated, refused } = one.receipts;
    if (repeated > 0) await clients.settled(one.drop, taken + repeated + refused, signal);
  }
  // What waits for files that never come is taken without them now.
  await setRules(store, { waitHours: 0 });
  await clients.tell();
  for (const { sent: one } of drops) {
    const { taken, repeated, refused } = one.receipts;
    const isSettled = await clients.settled(one.drop, taken + repeated + refused, signal);
    if (!isSettled) say(`${one.drop} is not settled in time`);
  }
  await watcher.until(({ phase, nextIteration }) => phase !== 'running' && nextIteration > ledger.iterations);
  return watcher.repairs;
}

/** What mends or repeats a drop comes once its first arrival is settled. */
async function untilRead(clients: DayClients, { sent }: PlannedDrop, signal: AbortSignal): Promise<void> {
  const { repeated, refused } = sent.receipts;
  if (repeated + refused > 0) await clients.settled(sent.drop, 1, signal);
}
