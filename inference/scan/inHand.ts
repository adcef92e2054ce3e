import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson } from '../../storage/tables/json.js';

/** Images per note: a write for each would cost as much as its judgement. */
const NOTED_AHEAD = 64;

const noteSchema = z.object({
  version: z.literal(1),
  /** Number of attempts that ended without a report while they had something in hand. */
  ended: z.number().int().nonnegative(),
  /** Images on which native code may have been at work; null while a model was loaded; empty after an orderly end. */
  hand: z.array(z.string()).nullable(),
  /** Images that are no longer judged, with the reason. */
  leftOut: z.record(z.string(), z.string()),
});
type Note = z.infer<typeof noteSchema>;

/**
 * The images that an attempt has in hand, written to the store before native code sees them. A process that such code
 * ends reports nothing, and the next attempt finds its suspects here. Heartbeat details would be lost with the process,
 * since they are throttled.
 */
export class InHand {
  #note: Note;
  /** The first image that is not noted yet. */
  #notedTo = 0;
  #pending: Promise<void> | null = null;
  readonly #done = new Set<number>();
  #firstOpen = 0;
  #isClosed = false;
  readonly #stalled: string[] = [];

  private constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
    note: Note | null,
  ) {
    this.#note = note ?? { version: 1, ended: 0, hand: [], leftOut: {} };
    if (this.#note.hand === null || this.#note.hand.length > 0) this.#note.ended++;
  }

  static async open(store: ObjectStore, key: string): Promise<InHand> {
    const object = await store.tryGet(key);
    if (object === null) return new InHand(store, key, null);
    return new InHand(store, key, noteIn(object.body, key));
  }

  /** Number of attempts that ended without a report. */
  get ended(): number {
    return this.#note.ended;
  }

  /** The images that the last of them had in hand; null means the model itself. */
  get suspects(): readonly string[] | null {
    return this.#note.hand;
  }

  get leftOut(): Readonly<Record<string, string>> {
    return this.#note.leftOut;
  }

  /** Keep the suspects and the number of ends, before they are tried. */
  keep(): Promise<void> {
    return this.#write(this.#note.hand);
  }

  leaveOut(image: string, reason: string): Promise<void> {
    this.#note.leftOut[image] = reason;
    return this.#write(this.#note.hand);
  }

  /** The model is about to be loaded. */
  async loading(): Promise<void> {
    await this.#write(null);
  }

  /** Resolves when the image at `index` of `images` is noted; the next ones are noted ahead. */
  async before(images: readonly string[], index: number): Promise<void> {
    if (index + NOTED_AHEAD / 2 >= this.#notedTo) this.#pending ??= this.#noteAhead(images);
    while (index >= this.#notedTo) {
      this.#pending ??= this.#noteAhead(images);
      await this.#pending;
    }
  }

  done(index: number): void {
    this.#done.add(index);
    while (this.#done.delete(this.#firstOpen)) this.#firstOpen++;
  }

  /** Native code does not return from this image: only it and other stalled images are in hand. */
  async stalled(image: string): Promise<void> {
    this.#isClosed = true;
    this.#stalled.push(image);
    await this.#pending?.catch(() => undefined);
    await this.#put(this.#stalled);
  }

  /** An orderly end. The notes stay until `finish`. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#pending?.catch(() => undefined);
    if (this.#note.ended === 0) await this.finish();
    else await this.#put([]);
  }

  /**
   * Nothing is left to judge. With `keepLeftOut`, another judgement of the same images need not lose a process to them.
   */
  async finish({ keepLeftOut = false }: { keepLeftOut?: boolean } = {}): Promise<void> {
    this.#isClosed = true;
    await this.#pending?.catch(() => undefined);
    this.#note.ended = 0;
    if (keepLeftOut && Object.keys(this.#note.leftOut).length > 0) await this.#put([]);
    else await this.store.delete([this.key]);
  }

  async #noteAhead(images: readonly string[]): Promise<void> {
    const to = Math.min(images.length, this.#notedTo + NOTED_AHEAD);
    try {
      if (to > this.#notedTo) await this.#write(images.slice(this.#firstOpen, to));
      this.#notedTo = to;
    } finally {
      this.#pending = null;
    }
  }

  async #write(hand: readonly string[] | null): Promise<void> {
    if (!this.#isClosed) await this.#put(hand);
  }

  async #put(hand: readonly string[] | null): Promise<void> {
    this.#note = { ...this.#note, hand: hand === null ? null : [...hand] };
    await this.store.put(this.key, JSON.stringify(this.#note), 'application/json');
  }
}

/** An unreadable note is ignored: its images are judged as if for the first time. */
function noteIn(body: Uint8Array, key: string): Note | null {
  try {
    return parseJson(body, key, noteSchema);
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'data-invalid') return null;
    throw error;
  }
}
