/** How a start was answered. */
export interface StartAnswer {
  outcome: 'started' | 'resumed' | 'queued' | 'joined';
  nextIteration: number;
  remaining: number;
}

/** A start that was answered wrongly or not at all: what the loop owes is not known any more. */
export class AccountError extends Error {
  override name = 'AccountError';
}

/**
 * What the loop owes: the last iteration that somebody was promised. Every start must be answered so that nothing asked
 * for before is lost and nothing is done twice.
 */
export class Account {
  #owed = 0;
  /** Iterations of the request that waits behind the present one, and where it begins. */
  #waiting: { after: number; iterations: number } | null = null;

  /** The last iteration that is to be done. */
  get owed(): number {
    return this.#owed;
  }

  /** @throws AccountError if the answer does not fit what was promised before */
  take(asked: number, { outcome, nextIteration, remaining }: StartAnswer): void {
    const promised = nextIteration + remaining - 1;
    const expected = this.#expected(asked, outcome, nextIteration);
    if (!expected.includes(promised)) {
      throw new AccountError(
        `a start of ${asked} was ${outcome} and promises iteration ${promised}; ${this.#owed} was promised, so ${expected.join(' or ')} is right`,
      );
    }
    this.#owed = promised;
  }

  #expected(asked: number, outcome: StartAnswer['outcome'], next: number): number[] {
    const before = this.#owed;
    if (outcome === 'started') return [next + asked - 1];
    // What waits behind it stays behind it.
    if (outcome === 'resumed') return Array.from({ length: asked + 1 }, (_, more) => before + more);
    if (outcome === 'queued') {
      this.#waiting = { after: before, iterations: asked };
      return [before + asked];
    }
    const { after, iterations } = this.#waiting ?? { after: before, iterations: 0 };
    const joined = after + Math.max(iterations, asked);
    this.#waiting = { after, iterations: Math.max(iterations, asked) };
    return [joined];
  }

  /** A person ended the loop: what it owed is gone, but for what it is doing. */
  forget(done: number): void {
    this.#owed = done;
    this.#waiting = null;
  }
}
