import { PartloopError } from '../../domain/base/errors.js';
import { DEFAULT_STALL_MS, HelperProcess, ProcessEnded, TRIES } from './helperProcess.js';

/** If this many different pictures end their processes and none was read, the pictures are not to blame. */
const PICTURES_THAT_BLAME_THE_MACHINE = 3;

/**
 * Work of native code on pictures, done in a separate process, so that a picture that crashes or hangs it costs only
 * that picture. When the process ends, its pictures in hand are tried again one by one: a picture that ended `TRIES`
 * processes is an error by name.
 */
export class Apart<Request, Reply> {
  #together: HelperProcess<Request, Reply> | null = null;
  #alone: HelperProcess<Request, Reply> | null = null;
  #suspects: Promise<unknown> = Promise.resolve();
  #answered = 0;
  readonly #enders = new Set<string>();
  #isClosed = false;

  constructor(
    /** The compiled module that answers (`serveParent`). */
    private readonly main: URL,
    private readonly stallMs = DEFAULT_STALL_MS,
  ) {}

  /**
   * @throws PartloopError `data-invalid` if the picture `name` ends its process repeatedly, `setup-incomplete` if every
   * picture does; errors of the work itself
   */
  async ask(request: Request, name: string): Promise<Reply> {
    try {
      this.#together ??= this.#start();
      return await this.#answer(this.#together, request);
    } catch (error) {
      if (!(error instanceof ProcessEnded) || this.#isClosed) throw error;
    }
    const tried = this.#suspects.then(() => this.#tryAlone(request, name));
    this.#suspects = tried.catch(() => undefined);
    return tried;
  }

  /** Ends the processes; current work fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#together?.close(), this.#alone?.close()]);
  }

  async #tryAlone(request: Request, name: string): Promise<Reply> {
    // It was in hand when the first one ended.
    for (let ended = 1; ; ) {
      try {
        this.#alone ??= this.#start();
        return await this.#answer(this.#alone, request);
      } catch (error) {
        if (!(error instanceof ProcessEnded) || this.#isClosed) throw error;
        this.#enders.add(name);
        if (this.#answered === 0 && this.#enders.size >= PICTURES_THAT_BLAME_THE_MACHINE)
          throw new PartloopError(
            'setup-incomplete',
            `each of ${this.#enders.size} pictures ended the process that decoded it (${error.how})`,
            {
              hint: 'SIGKILL mostly means too little memory. Otherwise run `partloop doctor`, and install sharp again.',
            },
          );
        if (++ended >= TRIES)
          throw new PartloopError(
            'data-invalid',
            `${name} ended the process that decoded it ${ended} times (${error.how})`,
            { hint: 'Save the picture again with another program.' },
          );
      }
    }
  }

  #start(): HelperProcess<Request, Reply> {
    if (this.#isClosed) throw new ProcessEnded('it was closed');
    return new HelperProcess(this.main);
  }

  async #answer(helper: HelperProcess<Request, Reply>, request: Request): Promise<Reply> {
    const stalled = setTimeout(() => {
      void helper.close(`no answer within ${Math.round(this.stallMs / 1_000)} s`);
    }, this.stallMs);
    try {
      const reply = await helper.ask(request);
      this.#answered++;
      return reply;
    } catch (error) {
      if (error instanceof ProcessEnded) {
        if (this.#together === helper) this.#together = null;
        if (this.#alone === helper) this.#alone = null;
      } else this.#answered++;
      throw error;
    } finally {
      clearTimeout(stalled);
    }
  }
}
