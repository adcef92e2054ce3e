import type { Progress, ShownFinding } from '../../../domain/board/protocol.js';
import type { Api, LoadedLabel } from '../api.js';

/** A finding with all that its screen needs. */
export interface Loaded {
  finding: ShownFinding;
  picture: ImageBitmap;
  given: LoadedLabel;
  proposed: LoadedLabel | null;
}

/** The finding on the screen and the next ones, which are fetched ahead. */
export class Deck {
  #order: ShownFinding[] = [];
  readonly #loading = new Map<string, Promise<Loaded>>();
  /** Answered here; the server may not know yet. */
  readonly #answered = new Set<string>();
  progress: Progress | null = null;

  constructor(private readonly api: Api) {}

  get current(): ShownFinding | null {
    return this.#order[0] ?? null;
  }

  /** Ask for the next findings; `first` is shown next, whatever its place. */
  async refill(first?: string): Promise<void> {
    if (first !== undefined) this.#answered.delete(first);
    const { findings, progress } = await this.api.queue(first === undefined ? {} : { first });
    this.progress = progress;
    this.#order = findings.filter(({ findingId }) => !this.#answered.has(findingId));
    const wanted = new Set(this.#order.map(({ findingId }) => findingId));
    for (const id of this.#loading.keys()) if (!wanted.has(id)) this.#loading.delete(id);
    for (const finding of this.#order) void this.load(finding).catch(() => undefined);
  }

  load(finding: ShownFinding): Promise<Loaded> {
    const known = this.#loading.get(finding.findingId);
    if (known !== undefined) return known;
    const loading = loadFinding(this.api, finding);
    this.#loading.set(finding.findingId, loading);
    loading.catch(() => this.#loading.delete(finding.findingId));
    return loading;
  }

  /** The current finding is answered; `changesLabel`: other findings of its image show another label now. */
  answered(changesLabel: boolean): void {
    const [done] = this.#order;
    if (done === undefined) return;
    this.#answered.add(done.findingId);
    this.#order = this.#order.slice(1);
    this.#loading.delete(done.findingId);
    if (!changesLabel) return;
    for (const { imageId, findingId } of this.#order) if (imageId === done.imageId) this.#loading.delete(findingId);
  }

  /** An answer did not reach the server. */
  notAnswered(findingId: string): void {
    this.#answered.delete(findingId);
  }
}

/** Fetch all that the screen of a finding needs. */
export async function loadFinding(api: Api, finding: ShownFinding): Promise<Loaded> {
  const [picture, given, proposed] = await Promise.all([
    api.picture(finding),
    api.label(finding, 'given'),
    finding.hasProposal ? api.label(finding, 'proposed') : null,
  ]);
  return { finding, picture, given, proposed };
}
