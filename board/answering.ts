import { createHash } from 'node:crypto';
import { PartloopError } from '../domain/base/errors.js';
import { type Batch, type BoardAnswer, isDue, type Redrawn, withAnswer, withoutLast } from '../domain/board/batch.js';
import type { Drawn } from '../pool/review/paint.js';
import { type GivenAnswer, takeAnswers } from '../pool/review/takeAnswers.js';
import { undoReview } from '../pool/review/undoReview.js';
import { addBatch, changeBatch, readBoardLabel } from '../storage/board.js';
import { decodeLabel } from '../storage/pictures/labelMask.js';
import { ulid } from '../storage/ulid.js';
import type { ScanDesk } from './scanDesk.js';

/** A label that could not be changed as an answer asked. */
export interface NotApplied {
  fileName: string;
  reason: string;
}

/**
 * Answers of reviewers to the findings of one scan. Every answer is in the store before it is confirmed; a batch can
 * change until it is handed in as a review import. Undo reaches beyond that: the import is undone, and the rest of its
 * answers becomes an open batch again. Whatever was under way when a server died is finished by `recover`.
 */
export class Answering {
  #last: Promise<unknown> = Promise.resolve();
  /** Batches that are being handed in, one after the other; new answers do not wait for them. */
  #taking: Promise<unknown> = Promise.resolve();

  constructor(private readonly desk: ScanDesk) {}

  /** One after the other: a page may send an answer before the one before is confirmed. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Add answers, given at one time, to the reviewer's open batch. */
  answer(reviewer: string, answers: readonly BoardAnswer[], now: Date): Promise<Batch> {
    return this.#alone(async () => {
      const open = this.#openBatch(reviewer);
      if (open !== null) {
        const batch = await changeBatch(this.desk.store, open, (there) =>
          there.state === 'open' ? answers.reduce(withAnswer, there) : null,
        );
        this.desk.know(batch);
        if (batch.state === 'open') return batch;
      }
      const begun = this.#newBatch(reviewer, [...answers], null, now);
      await addBatch(this.desk.store, begun);
      this.desk.know(begun);
      return begun;
    });
  }

  /** Take back the last answer of a reviewer; null if there is none. */
  undo(reviewer: string, now: Date): Promise<BoardAnswer | null> {
    return this.#alone(async () => {
      await this.#taking;
      const open = this.#openBatch(reviewer);
      if (open !== null && open.answers.length > 0) {
        let undone: BoardAnswer | null = null;
        const batch = await changeBatch(this.desk.store, open, (there) => {
          const rest = there.state === 'open' ? withoutLast(there) : null;
          undone = rest?.undone ?? null;
          return rest?.batch ?? null;
        });
        this.desk.know(batch);
        return undone;
      }
      return this.#reopen(reviewer, now);
    });
  }

  async #reopen(reviewer: string, now: Date): Promise<BoardAnswer | null> {
    const closed = this.#own(reviewer).findLast(({ state, answers }) => state === 'closed' && answers.length > 0);
    const rest = closed === undefined ? null : withoutLast(closed);
    if (closed === undefined || rest === null) return null;
    // The rest is safe before the import is undone.
    const begun = this.#newBatch(reviewer, rest.batch.answers, closed.id, now);
    await addBatch(this.desk.store, begun);
    this.desk.know(begun);
    await this.#replace(closed, now);
    return rest.undone;
  }

  async #replace(closed: Batch, now: Date): Promise<void> {
    const { store, pool } = this.desk;
    if (closed.review !== null)
      await withdraw(() => undoReview(store, { pool: pool.name, review: closed.review ?? '', now }));
    this.desk.know(await changeBatch(store, closed, (there) => ({ ...there, state: 'replaced' })));
    await this.desk.refreshLabels();
  }

  /** Hand in what a reviewer has open; what could not be put into labels. */
  async handIn(reviewer: string, now: Date): Promise<NotApplied[]> {
    const closing = await this.#alone(async () => {
      const open = this.#openBatch(reviewer);
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
    if (batch.answers.length === 0) return batch;
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
    const { store, pool, scan } = this.desk;
    const { id, review, reviewer } = batch;
    const answers = batch.answers.filter(({ isSecond }) => !isSecond);
    if (review === null) throw new PartloopError('internal', `batch ${id} is handed in without an import`);
    const rows = await this.desk.wholeFindings(answers.map(({ findingId }) => findingId));
    const found = new Map(rows.map((row) => [row.findingId, row]));
    const given: GivenAnswer[] = [];
    for (const [index, { findingId, verdict, comment, redrawn, answeredAt }] of answers.entries()) {
      const finding = found.get(findingId);
      if (finding === undefined) continue;
      const drawn = redrawn === null ? null : await readDrawn(this.desk, redrawn);
      given.push({ row: index + 1, finding, verdict, reviewer, comment, redrawn: drawn, answeredAt });
    }
    const isDrawn = answers.some(({ redrawn }) => redrawn !== null);
    const { recorded, notApplied } = await takeAnswers(store, pool, {
      ...{ id: review, scan: scan.id, reviewer, now, answers: given },
      // Whoever draws may change a label outside the masks of findings: it is no table of answers.
      source: isDrawn
        ? { exportId: `board-${id}`, tableSha256: null }
        : { exportId: null, tableSha256: createHash('sha256').update(JSON.stringify(answers)).digest('hex') },
    });
    this.desk.know(
      await changeBatch(store, batch, (there) => ({ ...there, state: 'closed', review: recorded.review ?? review })),
    );
    if (recorded.revised > 0) await this.desk.refreshLabels();
    return notApplied.map(({ row, reason }) => ({
      fileName: found.get(answers[row - 1]?.findingId ?? '')?.fileName ?? '',
      reason,
    }));
  }

  #own(reviewer: string): Batch[] {
    return this.desk.batches.filter((batch) => batch.reviewer === reviewer);
  }

  #openBatch(reviewer: string): Batch | null {
    return this.#own(reviewer).findLast(({ state }) => state === 'open') ?? null;
  }

  #newBatch(reviewer: string, answers: BoardAnswer[], replaces: string | null, now: Date): Batch {
    const { pool, scan } = this.desk;
    return {
      ...{ version: 1, id: ulid(now), pool: pool.name, scan: scan.id, reviewer, state: 'open' },
      ...{ review: null, replaces, answers },
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

/** The labels of a redrawing, as pixels. */
export async function readDrawn({ store, pool }: ScanDesk, { seen, drawn }: Redrawn): Promise<Drawn> {
  const pixels = async (sha256: string): Promise<Uint8Array> =>
    (await decodeLabel(await readBoardLabel(store, pool.name, sha256), `drawn label ${sha256}`)).pixels;
  return { seen: await pixels(seen), drawn: await pixels(drawn) };
}
