import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { PartloopError } from '../../domain/base/errors.js';

/** How a board reaches the Temporal service of its loops. */
export interface TemporalAccess {
  /** @throws PartloopError `stack-unavailable` naming the address, if no service answers there */
  connect(): Promise<Client>;
  /** Address of its Web UI; null if none is known. */
  uiUrl: string | null;
}

/** A page is shown without Temporal rather than late. */
const CONNECT_MS = 3_000;
const READ_MS = 5_000;
/** A person who steers waits longer: the loop answers once its record was read. */
const STEER_MS = 90_000;
/** A service that did not answer is left alone for a while, so that pages do not wait for it again and again. */
const QUIET_MS = 5_000;

/** One connection for all pages; a lost one is made anew. */
export class TemporalLink {
  #connecting: Promise<Client> | null = null;
  #silent: { until: number; error: unknown } | null = null;

  constructor(private readonly access: TemporalAccess | null) {}

  /** The address of the Web UI; null if none is known. */
  get uiUrl(): string | null {
    return this.access?.uiUrl ?? null;
  }

  /**
   * Read something that a page shows.
   *
   * @throws PartloopError `stack-unavailable` within seconds if the service does not answer
   */
  async read<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (this.#silent !== null && performance.now() < this.#silent.until) throw this.#silent.error;
    return this.#with(READ_MS, work);
  }

  /**
   * Do what somebody asked for.
   *
   * @throws PartloopError `stack-unavailable` if the service does not answer
   */
  async steer<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.#with(STEER_MS, work);
  }

  async close(): Promise<void> {
    const client = await this.#connecting?.catch(() => null);
    await client?.connection.close();
  }

  async #with<T>(withinMs: number, work: (client: Client) => Promise<T>): Promise<T> {
    try {
      const client = await this.#connected();
      const done = await client.withDeadline(Date.now() + withinMs, () => work(client));
      this.#silent = null;
      return done;
    } catch (cause) {
      if (cause instanceof PartloopError && cause.code !== 'stack-unavailable') throw cause;
      if (!(cause instanceof PartloopError) && !(cause instanceof ServiceError) && !isGrpcServiceError(cause))
        throw cause;
      const error = cause instanceof PartloopError ? cause : unanswered(cause);
      this.#silent = { until: performance.now() + QUIET_MS, error };
      throw error;
    }
  }

  async #connected(): Promise<Client> {
    if (this.access === null)
      throw new PartloopError('stack-unavailable', 'this board was started without a Temporal service', {
        hint: 'The board that `partloop up` or `partloop board` starts has one.',
      });
    this.#connecting ??= this.access.connect().catch((error: unknown) => {
      this.#connecting = null;
      throw error;
    });
    const late = new AbortController();
    try {
      const soon = sleep(CONNECT_MS, null, { signal: late.signal }).catch(() => null);
      const client = await Promise.race([this.#connecting, soon]);
      if (client !== null) return client;
      throw new PartloopError('stack-unavailable', 'the Temporal service does not answer yet', { hint: STATUS_HINT });
    } finally {
      late.abort();
    }
  }
}

const STATUS_HINT = '`partloop status` shows what runs; `partloop up --detach` starts the local stack.';

const unanswered = (cause: unknown): PartloopError =>
  new PartloopError('stack-unavailable', 'the Temporal service does not answer', { cause, hint: STATUS_HINT });
