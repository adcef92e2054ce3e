import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson } from '../../storage/tables/json.js';

/** Images that are noted at once: a write for each would cost as much as its judgement. */
const NOTED_AHEAD = 64;

const noteSchema = z.object({
  version: z.literal(1),
  /** Attempts that ended without a word while they had something in hand. */
  ended: z.number().int().nonnegative(),
  /** Images that native code may have been at work on; null while a model was loaded; none after an end in order. */
  hand: z.array(z.string()).nullable(),
  /** Images that are judged no more, with the reason. */
  leftOut: z.record(z.string(), z.string()),
});
type Note = z.infer<typeof noteSchema>;

/**
 * What an attempt has in hand, written to the store before native code sees it: a process that such code ends says
 * nothing more, and the next attempt finds here whom to suspect. Heartbeat details would be lost with the process,
 * being throttled.
 */
export class InHand {
  #note: Note;
  /** Images from here on are not noted yet. */
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

  /** Attempts that ended without a word. */
  get ended(): number {
    return this.#note.ended;
  }

  /** What the last of them had in hand: null means the model itself. */
  get suspects(): readonly string[] | null {
    return this.#note.hand;
  }

  get leftOut(): Readonly<Record<string, string>> {
    return this.#note.leftOut;
  }

  /** Keep the suspects and how often it ended, before they are tried. */
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

  /** Resolves once the image at `index` of `images` is noted; those after it are noted ahead. */
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

  /** Native code does not come back from this image: it is in hand, and of the others only those that stall too. */
  async stalled(image: string): Promise<void> {
    this.#isClosed = true;
    this.#stalled.push(image);
    await this.#pending?.catch(() => undefined);
    await this.#put(this.#stalled);
  }

  /** An end in order. What was learned stays until `finish`. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#pending?.catch(() => undefined);
    if (this.#note.ended === 0) await this.finish();
    else await this.#put([]);
  }

  /**
   * Nothing is left to judge. Given `keepLeftOut`, whoever judges the same images again need not end a process for
   * them.
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

/** A note that cannot be read says nothing: its images are judged as if for the first time. */
function noteIn(body: Uint8Array, key: string): Note | null {
  try {
    return parseJson(body, key, noteSchema);
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'data-invalid') return null;
    throw error;
  }
}
