import type { Batch } from '../domain/board/batch.js';
import type { AuditAnswer } from '../domain/review/auditAnswers.js';
import { latestVerdicts, type Verdict } from '../domain/review/review.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readReviews } from '../storage/reviews.js';

const EVERY_MS = 60_000;

/** Answers to a pool without those that some batches already stand for; read once a minute. */
export class Imports {
  /** The newest one by finding id. */
  verdicts: ReadonlyMap<string, Verdict> = new Map();
  audits: readonly AuditAnswer[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly store: ObjectStore,
    private readonly pool: string,
  ) {}

  async refresh(batches: readonly Batch[], now: number): Promise<void> {
    if (now - this.#readAt < EVERY_MS) return;
    const { imports } = await readReviews(this.store, this.pool);
    const ours = new Set(batches.flatMap(({ review }) => review ?? []));
    const others = imports.filter(({ id, withdrawal }) => withdrawal === null && !ours.has(id));
    this.verdicts = latestVerdicts(others.flatMap(({ verdicts }) => verdicts));
    this.audits = others.flatMap(({ audits }) => audits);
    this.#readAt = now;
  }
}
