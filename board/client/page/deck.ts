import type { Progress, Shown } from '../../../domain/board/protocol.js';
import type { Api, LoadedLabel } from '../api.js';

/** An item of a queue with all that its screen needs. */
export interface Loaded<Item extends Shown = Shown> {
  item: Item;
  picture: ImageBitmap;
  given: LoadedLabel;
  proposed: LoadedLabel | null;
}

/** The item on the screen and the next ones, which are fetched ahead. */
export class Deck<Item extends Shown> {
  #order: Item[] = [];
  readonly #loading = new Map<string, Promise<Loaded<Item>>>();
  /** Answered here; the server may not know yet. */
  readonly #answered = new Set<string>();
  progress: Progress | null = null;

  constructor(private readonly api: Api<Item>) {}

  get current(): Item | null {
    return this.#order[0] ?? null;
  }

  /** Ask for the next items; `first` is shown next, whatever its place. */
  async refill(first?: string): Promise<void> {
    if (first !== undefined) this.#answered.delete(first);
    const { items, progress } = await this.api.queue(first === undefined ? {} : { first });
    this.progress = progress;
    this.#order = items.filter(({ id }) => !this.#answered.has(id));
    const wanted = new Set(this.#order.map(({ id }) => id));
    for (const id of this.#loading.keys()) if (!wanted.has(id)) this.#loading.delete(id);
    for (const item of this.#order) void this.load(item).catch(() => undefined);
  }

  load(item: Item): Promise<Loaded<Item>> {
    const known = this.#loading.get(item.id);
    if (known !== undefined) return known;
    const loading = loadItem(this.api, item);
    this.#loading.set(item.id, loading);
    loading.catch(() => this.#loading.delete(item.id));
    return loading;
  }

  /** The current item is answered; `changesLabel`: other items of its image show another label now. */
  answered(changesLabel: boolean): void {
    const [done] = this.#order;
    if (done === undefined) return;
    this.#answered.add(done.id);
    this.#order = this.#order.slice(1);
    this.#loading.delete(done.id);
    if (!changesLabel) return;
    for (const { imageId, id } of this.#order) if (imageId === done.imageId) this.#loading.delete(id);
  }

  /** An answer did not reach the server. */
  notAnswered(id: string): void {
    this.#answered.delete(id);
  }
}

/** Fetch all that the screen of an item needs. */
export async function loadItem<Item extends Shown>(api: Api<Item>, item: Item): Promise<Loaded<Item>> {
  const [picture, given, proposed] = await Promise.all([
    api.picture(item),
    api.label(item, 'given'),
    item.hasProposal ? api.label(item, 'proposed') : null,
  ]);
  return { item, picture, given, proposed };
}
