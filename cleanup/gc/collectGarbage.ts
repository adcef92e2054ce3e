import { oncePer } from '../../domain/base/oncePer.js';
import { type Amount, KINDS, totalOf } from '../../domain/cleanup/kinds.js';
import { FIRST_PLACE, nextPart, type SweepPlace } from '../../domain/cleanup/place.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { type Found, type OwnAmount, type Sweep, Tally } from './sweep.js';
import { sweepCopies } from './sweepCopies.js';
import { sweepEvaluations } from './sweepEvaluations.js';
import { sweepLoop } from './sweepLoop.js';
import { sweepUploads } from './sweepUploads.js';

/** What a sweep found. */
export interface Swept extends Omit<Found, 'amounts'> {
  /** One entry for each kind, also for those of which there is nothing. */
  kinds: Amount[];
  /** The same by loop or scan, for those that have some. */
  loops: OwnAmount[];
  /** Workflows that run: what is theirs was passed over. */
  running: readonly string[];
  /** Why uploads that nobody ended could not be listed; null where they were. */
  noUploads: string | null;
}

/** A page of a sweep. */
export interface SweptPage extends Found {
  running: readonly string[];
  noUploads: string | null;
  /** Where the sweep goes on; null at its end. */
  next: SweepPlace | null;
}

/**
 * Find objects that nothing reads any more and, if the sweep is final, delete them. What is deleted is dead for good by
 * the rules of `findGarbage`, so that a loop that starts meanwhile loses nothing, and a sweep that ends half-way can be
 * run again.
 */
export async function collectGarbage(store: ObjectStore, sweep: Sweep): Promise<Swept> {
  const [tally, running] = [new Tally(sweep), new Set<string>()];
  const swept: Pick<Swept, 'unreadable' | 'failed' | 'noUploads'> = { unreadable: [], failed: [], noUploads: null };
  for (let place: SweepPlace | null = FIRST_PLACE; place !== null; ) {
    const page: SweptPage = await sweepPage(store, sweep, { place, limit: Number.POSITIVE_INFINITY, tally });
    for (const id of page.running) running.add(id);
    swept.unreadable = oncePer([...swept.unreadable, ...page.unreadable], ({ key }) => key);
    swept.failed.push(...page.failed);
    swept.noUploads ??= page.noUploads;
    place = page.next;
  }
  const loops = tally.amounts;
  return { kinds: KINDS.map((kind) => totalOf(kind, loops)), loops, running: [...running], ...swept };
}

/**
 * Sweep a part of the store, which may be done again at any time: what the first time deleted is no longer found.
 *
 * @param limit so many loops and scans at most
 */
export async function sweepPage(
  store: ObjectStore,
  sweep: Sweep,
  { place, limit, tally = new Tally(sweep) }: { place: SweepPlace; limit: number; tally?: Tally },
): Promise<SweptPage> {
  const page: Omit<SweptPage, 'amounts' | 'next'> = { running: [], unreadable: [], failed: [], noUploads: null };
  if (place.part !== 'loops') {
    if (place.part === 'uploads') page.noUploads = await sweepUploads(store, sweep, tally);
    else if (place.part === 'evaluations') Object.assign(page, await sweepEvaluations(store, sweep, tally));
    else Object.assign(page, await sweepCopies(store, sweep, tally));
    return { ...page, amounts: tally.amounts, next: nextPart(place.part) };
  }
  const names: string[] = [];
  for await (const name of store.folders('loops/')) names.push(name);
  names.sort();
  const { after } = place;
  const from = after === null ? 0 : names.filter((name) => name <= after).length;
  const open = await sweep.openWork();
  const chosen = names.slice(from, from + limit);
  for (const [index, loop] of chosen.entries()) {
    sweep.onLoop?.(from + index, names.length);
    const { unreadable, failed } = await sweepLoop(store, sweep, { loop, open, tally });
    page.unreadable.push(...unreadable);
    page.failed.push(...failed);
  }
  const last = from + chosen.length < names.length ? (chosen.at(-1) ?? null) : null;
  const next = last === null ? nextPart('loops') : { part: 'loops' as const, after: last };
  return { ...page, running: open.ids, amounts: tally.amounts, next };
}
