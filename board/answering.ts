import { PartloopError } from '../domain/base/errors.js';
import {
  type AuditGiven,
  type Batch,
  type BoardAnswer,
  isDue,
  type PlantedAnswer,
  type Queue,
  sizeOf,
  withAnswer,
  withAudit,
  withoutLast,
  withPlanted,
} from '../domain/board/batch.js';
import { undoReview } from '../pool/review/undoReview.js';
import { addBatch, changeBatch } from '../storage/board.js';
import { ulid } from '../storage/ulid.js';
import type { AuditOpener } from './audit/auditDesk.js';
import { handInAudit } from './audit/handInAudit.js';
import { type HandedIn, handInFindings, type NotApplied, reviewOf } from './handedIn.js';
import type { ScanDesk } from './scanDesk.js';

/**
 * Answers of reviewers to the findings of one scan and to its audit sample. Every answer is in the store before it is
 * confirmed; a batch can change until it is handed in as a review import. Undo reaches beyond that: the import is
 * undone, and the rest of its answers becomes an open batch again. Whatever was under way when a server died is
 * finished by `recover`.
 */
export class Answering {
  #last: Promise<unknown> = Promise.resolve();
  /** Batches that are being handed in, one after the other; new answers do not wait for them. */
  #taking: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly desk: ScanDesk,
    private readonly audit: AuditOpener,
  ) {}

  /** One after the other: a page may send an answer before the one before is confirmed. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Add answers to findings, given at one time, to the reviewer's open batch. */
  answer(reviewer: string, answers: readonly BoardAnswer[], now: Date): Promise<Batch> {
    return this.#add(reviewer, 'findings', now, (batch) => answers.reduce(withAnswer, batch));
  }

  /** The same with an answer to an image of the audit sample. */
  answerAudit(reviewer: string, answer: AuditGiven, now: Date): Promise<Batch> {
    return this.#add(reviewer, 'audit', now, (batch) => withAudit(batch, answer));
  }

  /** The same with an answer to a known error. It is kept beside the answers to findings, and handed in nowhere. */
  answerPlanted(reviewer: string, answer: PlantedAnswer, now: Date): Promise<Batch> {
    return this.#add(reviewer, 'findings', now, (batch) => withPlanted(batch, answer));
  }

  #add(reviewer: string, queue: Queue, now: Date, add: (batch: Batch) => Batch): Promise<Batch> {
    return this.#alone(async () => {
      const open = this.#openBatch(reviewer, queue);
      if (open !== null) {
        const batch = await changeBatch(this.desk.store, open, (there) => (there.state === 'open' ? add(there) : null));
        this.desk.know(batch);
        if (batch.state === 'open') return batch;
      }
      const begun = add(this.#newBatch(reviewer, queue, now));
      await addBatch(this.desk.store, begun);
      this.desk.know(begun);
      return begun;
    });
  }

  /** Take back a reviewer's last answer to a queue: the finding or image that it was about; null if there is none. */
  undo(reviewer: string, now: Date, queue: Queue = 'findings'): Promise<string | null> {
    return this.#alone(async () => {
      await this.#taking;
      const open = this.#openBatch(reviewer, queue);
      if (open !== null && sizeOf(open) > 0) {
        let undone: string | null = null;
        const batch = await changeBatch(this.desk.store, open, (there) => {
          const rest = there.state === 'open' ? withoutLast(there) : null;
          undone = rest?.undone ?? null;
          return rest?.batch ?? null;
        });
        this.desk.know(batch);
        return undone;
      }
      return this.#reopen(reviewer, queue, now);
    });
  }

  async #reopen(reviewer: string, queue: Queue, now: Date): Promise<string | null> {
    const closed = this.#own(reviewer, queue).findLast((batch) => batch.state === 'closed' && sizeOf(batch) > 0);
    const rest = closed === undefined ? null : withoutLast(closed);
    if (closed === undefined || rest === null) return null;
    // No import has anything of a known error.
    if (rest.isPlanted) return this.#forget(closed);
    const { answers, audits, planted } = rest.batch;
    // The rest is safe before the import is undone.
    const begun = { ...this.#newBatch(reviewer, queue, now), answers, audits, planted, replaces: closed.id };
    await addBatch(this.desk.store, begun);
    this.desk.know(begun);
    await this.#replace(closed, now);
    return rest.undone;
  }

  async #forget(closed: Batch): Promise<string | null> {
    let undone: string | null = null;
    const batch = await changeBatch(this.desk.store, closed, (there) => {
      const rest = there.state === 'closed' ? withoutLast(there) : null;
      undone = rest?.isPlanted === true ? rest.undone : null;
      return undone === null ? null : (rest?.batch ?? null);
    });
    this.desk.know(batch);
    return undone;
  }

  async #replace(closed: Batch, now: Date): Promise<void> {
    const { store, pool } = this.desk;
    if (closed.review !== null)
      await withdraw(() => undoReview(store, { pool: pool.name, review: closed.review ?? '', now }));
    this.desk.know(await changeBatch(store, closed, (there) => ({ ...there, state: 'replaced' })));
    await this.#refreshLabels();
  }

  async #refreshLabels(): Promise<void> {
    await this.desk.refreshLabels();
    await this.audit.refreshLabels();
  }

  /** Hand in what a reviewer has open in a queue; what could not be put into labels. */
  async handIn(reviewer: string, now: Date, queue: Queue = 'findings'): Promise<NotApplied[]> {
    const closing = await this.#alone(async () => {
      const open = this.#openBatch(reviewer, queue);
      return open === null ? [] : [await this.#close(open, now)];
    });
    return this.#takeAll(closing, now);
  }

  /** Hand in the batches that are full or whose reviewers went away, or all. */
  async handInDue(now: Date, which: 'due' | 'all' = 'due'): Promise<void> {
    const closing = await this.#alone(async () => {
      const due = this.desk.batches.filter((one) => one.state === 'open' && (which === 'all' || isDue(one, now)));
      const closed: Batch[] = [];
      for (const batch of due) closed.push(await this.#close(batch, now));
      return closed;
    });
    await this.#takeAll(closing, now);
    await this.#taking;
  }

  /** Finish what was under way when a server died. */
  async recover(now: Date): Promise<void> {
    await this.#alone(async () => {
      for (const { replaces } of this.desk.batches) {
        const replaced = this.desk.batches.find(({ id, state }) => id === replaces && state === 'closed');
        if (replaced !== undefined) await this.#replace(replaced, now);
      }
      const closing = this.desk.batches.filter(({ state }) => state === 'closing');
      await this.#takeAll(closing, now);
    });
  }

  /** From now on the batch does not change; it gets the id of its import. */
  async #close(batch: Batch, now: Date): Promise<Batch> {
    if (sizeOf(batch) === 0) return batch;
    const review = ulid(now);
    const closing = await changeBatch(this.desk.store, batch, (there) =>
      there.state === 'open' ? { ...there, state: 'closing', review } : null,
    );
    this.desk.know(closing);
    return closing;
  }

  #takeAll(batches: readonly Batch[], now: Date): Promise<NotApplied[]> {
    const taken = this.#taking.then(async () => {
      const notApplied: NotApplied[] = [];
      for (const { id } of batches) {
        // Another call may have taken it meanwhile.
        const batch = this.desk.batches.find((one) => one.id === id);
        if (batch?.state === 'closing') notApplied.push(...(await this.#take(batch, now)));
      }
      return notApplied;
    });
    this.#taking = taken.catch(() => undefined);
    return taken;
  }

  async #take(batch: Batch, now: Date): Promise<NotApplied[]> {
    const review = reviewOf(batch);
    const { recorded, notApplied }: HandedIn =
      batch.queue === 'audit'
        ? await handInAudit(await this.audit.get(), batch, now)
        : await handInFindings(this.desk, batch, now);
    this.desk.know(
      await changeBatch(this.desk.store, batch, (there) => ({
        ...there,
        ...{ state: 'closed', review: recorded.review ?? review },
      })),
    );
    if (recorded.revised > 0) await this.#refreshLabels();
    return notApplied;
  }

  #own(reviewer: string, queue: Queue): Batch[] {
    return this.desk.batches.filter((batch) => batch.reviewer === reviewer && batch.queue === queue);
  }

  #openBatch(reviewer: string, queue: Queue): Batch | null {
    return this.#own(reviewer, queue).findLast(({ state }) => state === 'open') ?? null;
  }

  #newBatch(reviewer: string, queue: Queue, now: Date): Batch {
    const { pool, scan } = this.desk;
    return {
      ...{ version: 1, id: ulid(now), pool: pool.name, scan: scan.id, reviewer, state: 'open', queue },
      ...{ review: null, replaces: null, answers: [], audits: [], planted: [] },
    };
  }
}

/** A batch whose answers were all known already made no import. */
async function withdraw(undo: () => Promise<unknown>): Promise<void> {
  try {
    await undo();
  } catch (error) {
    const isGone = error instanceof PartloopError && (error.code === 'not-found' || error.code === 'input-invalid');
    if (!isGone) throw error;
  }
}
