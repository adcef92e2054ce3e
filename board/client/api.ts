import type { Redrawn } from '../../domain/board/batch.js';
import type { QueueAnswer, Shown, ShownFinding } from '../../domain/board/protocol.js';
import { sessionId } from './setting.js';

/** A label, one value per pixel, row by row. */
export interface LoadedLabel {
  pixels: Uint8Array;
  digest: string;
}

/** What the server refused, in its words. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** A queue of a scan: the path of its requests below the scan's, and of one of its items. */
interface QueuePlace {
  scan: string;
  filter: string;
  below?: string;
  items: string;
}

/** The requests of a page about one queue of a scan. */
export class Api<Item extends Shown> {
  readonly #base: string;
  readonly #items: string;

  readonly #filter: string;

  constructor({ scan, filter, below = '', items }: QueuePlace) {
    this.#base = `/api/scans/${encodeURIComponent(scan)}${below}`;
    this.#items = items;
    this.#filter = filter;
  }

  /** The next of the queue; `first` comes first, whatever its place. */
  async queue({ first, count }: { first?: string; count?: number } = {}): Promise<QueueAnswer<Item>> {
    const query = new URLSearchParams(this.#filter);
    if (count !== undefined) query.set('count', String(count));
    if (first !== undefined) query.set('first', first);
    return (await this.#json(`/queue?${query}`)) as QueueAnswer<Item>;
  }

  async picture({ imageId }: Item): Promise<ImageBitmap> {
    const response = await this.#ask(`/images/${imageId}`);
    return createImageBitmap(await response.blob());
  }

  async label({ id }: Item, which: 'given' | 'proposed'): Promise<LoadedLabel> {
    const response = await this.#ask(`/${this.#items}/${encodeURIComponent(id)}/${which}`);
    const pixels = new Uint8Array(await response.arrayBuffer());
    return { pixels, digest: response.headers.get('x-partloop-digest') ?? '' };
  }

  /** Store a drawn label, and the one that it was drawn on. */
  async drawn({ id }: Pick<Item, 'id'>, seen: string, pixels: Uint8Array<ArrayBuffer>): Promise<Redrawn> {
    const packed = new Blob([pixels]).stream().pipeThrough(new CompressionStream('gzip'));
    const response = await this.#ask(`/${this.#items}/${encodeURIComponent(id)}/drawn`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'x-partloop-seen': seen },
      body: await new Response(packed).arrayBuffer(),
    });
    return (await response.json()) as Redrawn;
  }

  async answer(request: object): Promise<void> {
    await this.#json('/answers', { method: 'POST', body: JSON.stringify(request) });
  }

  /** A picture of the pool that shows a class; there may be none. */
  exampleOf(labelValue: number, number: number): string {
    return `${this.#base}/examples/${labelValue}/${number}`;
  }

  /** Others may have what this page shows, as nobody looks at it any longer; the request outlives the page. */
  release(): void {
    void this.#ask('/release', { method: 'POST', keepalive: true }).catch(() => undefined);
  }

  thumbnailOf({ id }: Item): string {
    return `${this.#base}/${this.#items}/${encodeURIComponent(id)}/thumbnail`;
  }

  /** Begin to answer findings together; some of them have to be seen large first. */
  async select(findingIds: readonly string[]): Promise<{ id: string; findings: ShownFinding[] }> {
    const answer = await this.#json('/selections', { method: 'POST', body: JSON.stringify({ findingIds }) });
    return answer as { id: string; findings: ShownFinding[] };
  }

  async answerSelection(id: string, request: { verdict: string; seen: string[]; activeMs: number }): Promise<void> {
    await this.#json(`/selections/${id}/answer`, { method: 'POST', body: JSON.stringify(request) });
  }

  async undo(): Promise<string | null> {
    return ((await this.#json('/undo', { method: 'POST' })) as { undone: string | null }).undone;
  }

  async handIn(): Promise<{ fileName: string; reason: string }[]> {
    const answer = (await this.#json('/hand-in', { method: 'POST' })) as {
      notApplied: { fileName: string; reason: string }[];
    };
    return answer.notApplied;
  }

  async #json(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await this.#ask(path, { ...init, headers: { 'content-type': 'application/json' } });
    return response.json();
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('x-partloop-session', sessionId());
    const response = await fetch(`${this.#base}${path}`, { ...init, headers });
    if (response.ok) return response;
    const text = await response.text();
    throw refusal(text, response.status);
  }
}

function refusal(text: string, status: number): Refused {
  try {
    const { error, hint } = JSON.parse(text) as { error?: string; hint?: string };
    return new Refused(error ?? `the server answered ${status}`, hint ?? '');
  } catch {
    return new Refused(text.slice(0, 300) || `the server answered ${status}`, '');
  }
}
