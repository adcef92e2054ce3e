import type { ObjectStore } from '../storage/objects/objectStore.js';
import { Answering } from './answering.js';
import { type AuditDesk, AuditOpener } from './audit/auditDesk.js';
import { ScanDesk } from './scanDesk.js';

/** Scans with their findings in memory at a time, unless more are in use at once. */
const OPEN_AT_ONCE = 3;

export interface Opened {
  desk: ScanDesk;
  answering: Answering;
  /** The scan's audit sample, opened when it is first asked for. */
  audit(): Promise<AuditDesk>;
}

/** A scan that is open, and how many pieces of work use it now. */
interface Kept {
  opening: Promise<Opened>;
  users: number;
  /** Told when the last user is done. */
  onIdle: (() => void)[];
}

/**
 * The scans that people look at. The one that nobody asked for longest is closed first, and none under work that uses
 * it.
 */
export class Desks {
  readonly #open = new Map<string, Kept>();
  /** Ends of scans that hand in their answers; the same scan opens again after that. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(
    private readonly store: ObjectStore,
    private readonly cacheFolder: string,
    private readonly onError: (error: unknown) => void,
  ) {}

  /**
   * Work with a scan, which stays open until the work is done.
   *
   * @throws PartloopError `not-found` for an unknown scan
   */
  use<Result>(scan: string, work: (opened: Opened) => Result | Promise<Result>): Promise<Result> {
    const kept = this.#open.get(scan) ?? { opening: this.#start(scan), users: 0, onIdle: [] };
    this.#open.delete(scan);
    this.#open.set(scan, kept);
    return this.#with(scan, kept, work);
  }

  async #with<Result>(scan: string, kept: Kept, work: (opened: Opened) => Result | Promise<Result>): Promise<Result> {
    kept.users++;
    try {
      const opened = await kept.opening.catch((error: unknown) => {
        if (this.#open.get(scan) === kept) this.#open.delete(scan);
        throw error;
      });
      return await work(opened);
    } finally {
      kept.users--;
      if (kept.users === 0) for (const tell of kept.onIdle.splice(0)) tell();
      this.#closeIdle();
    }
  }

  async #start(scan: string): Promise<Opened> {
    await this.#closing.get(scan);
    const desk = await ScanDesk.open(this.store, scan, this.cacheFolder);
    try {
      const audit = new AuditOpener(desk);
      const answering = new Answering(desk, audit);
      await answering.recover(new Date());
      return { desk, answering, audit: () => audit.get() };
    } catch (error) {
      await desk.close();
      throw error;
    }
  }

  /** Beside other work: whoever used the scan does not wait. */
  #closeIdle(): void {
    for (const [scan, kept] of this.#open) {
      if (this.#open.size <= OPEN_AT_ONCE) return;
      if (kept.users > 0) continue;
      this.#open.delete(scan);
      const ended = kept.opening
        .then(close)
        .catch(this.onError)
        .finally(() => this.#closing.delete(scan));
      this.#closing.set(scan, ended);
    }
  }

  /** Hand in the batches that are full or whose reviewers went away. */
  async handInDue(now: Date): Promise<void> {
    for (const [scan, kept] of [...this.#open])
      await this.#with(scan, kept, ({ answering }) => answering.handInDue(now));
  }

  /** Hand in everything, and end. */
  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const kept of all) {
      if (kept.users > 0) await new Promise<void>((resolve) => kept.onIdle.push(resolve));
      const opened = await kept.opening.catch(() => null);
      if (opened !== null) await close(opened);
    }
    await Promise.all(this.#closing.values());
  }
}

async function close({ desk, answering }: Opened): Promise<void> {
  try {
    await answering.handInDue(new Date(), 'all');
  } finally {
    await desk.close();
  }
}
