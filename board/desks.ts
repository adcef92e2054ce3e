import type { ObjectStore } from '../storage/objects/objectStore.js';
import { Answering } from './answering.js';
import { type AuditDesk, AuditOpener } from './audit/auditDesk.js';
import { ScanDesk } from './scanDesk.js';

/** Scans with their findings in memory at a time. */
const OPEN_AT_ONCE = 3;

export interface Opened {
  desk: ScanDesk;
  answering: Answering;
  /** The scan's audit sample, opened when it is first asked for. */
  audit(): Promise<AuditDesk>;
}

/** The scans that people look at; the one that nobody asked for longest is closed first. */
export class Desks {
  readonly #open = new Map<string, Promise<Opened>>();

  constructor(
    private readonly store: ObjectStore,
    private readonly cacheFolder: string,
  ) {}

  async of(scan: string): Promise<Opened> {
    const known = this.#open.get(scan);
    const opening = known ?? this.#start(scan);
    this.#open.delete(scan);
    this.#open.set(scan, opening);
    try {
      const opened = await opening;
      await this.#closeOldest();
      return opened;
    } catch (error) {
      this.#open.delete(scan);
      throw error;
    }
  }

  async #start(scan: string): Promise<Opened> {
    const desk = await ScanDesk.open(this.store, scan, this.cacheFolder);
    const audit = new AuditOpener(desk);
    const answering = new Answering(desk, audit);
    await answering.recover(new Date());
    return { desk, answering, audit: () => audit.get() };
  }

  async #closeOldest(): Promise<void> {
    while (this.#open.size > OPEN_AT_ONCE) {
      const [scan, opening] = [...this.#open][0] ?? [];
      if (scan === undefined || opening === undefined) return;
      this.#open.delete(scan);
      await close(await opening);
    }
  }

  /** Hand in the batches that are full or whose reviewers went away. */
  async handInDue(now: Date): Promise<void> {
    for (const opening of this.#open.values()) await (await opening).answering.handInDue(now);
  }

  /** Hand in everything, and end. */
  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const opening of all) await close(await opening);
  }
}

async function close({ desk, answering }: Opened): Promise<void> {
  try {
    await answering.handInDue(new Date(), 'all');
  } finally {
    await desk.close();
  }
}
