import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { ServedBoard } from '../../board/server/serve.js';
import { plantedIdAfter } from '../../domain/board/planted.js';
import type { QueueAnswer, ShownFinding } from '../../domain/board/protocol.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readReviews } from '../../storage/reviews.js';
import { SCAN, type ScannedPool } from '../pool/review/scannedPool.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { boardOver, poolForBoard } from './kit.js';

const [FOUND, TRUSTED] = [40, 4];
const PART = 3;

describe('a known error on a page of the board', function () {
  this.timeout(120_000);
  let store: ObjectStore;
  let cars: ScannedPool;
  let board: ServedBoard;
  let reviewer: string;
  let planted: string;

  beforeEach(async () => {
    store = memoryStore();
    cars = await poolForBoard(store, FOUND + TRUSTED, { isFound: (at) => at < FOUND, labels: PART });
    board = await boardOver(store);
    // A reviewer to whom one is shown soon.
    const inOrder = cars.findings.toSorted((a, b) => (a.findingId < b.findingId ? -1 : 1));
    for (let at = 0; ; at++) {
      reviewer = `Ann ${at}`;
      const next = inOrder.slice(0, 3).map((one) => plantedIdAfter(one, { scan: SCAN, reviewer }));
      planted = next.find((id) => id !== null) ?? '';
      if (planted !== '') break;
    }
  });
  afterEach(() => board.close());

  const asks = () => ({
    ...{ 'x-partloop': '1', 'x-partloop-session': 'session-of-this-test' },
    cookie: `partloop_name=${encodeURIComponent(reviewer)}`,
  });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(board.urlOf(`/api/scans/${SCAN}${path}`), { ...init, headers: { ...asks(), ...init.headers } });
  const queue = async (query = ''): Promise<QueueAnswer> => (await (await ask(`/queue${query}`)).json()) as QueueAnswer;
  const post = (path: string, body: unknown): Promise<Response> =>
    ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

  /** Ask until the server has looked for images. */
  async function shown(): Promise<ShownFinding> {
    for (;;) {
      const { items } = await queue();
      const found = items.find(({ id }) => id === planted);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const stored = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key, etag } of store.list('')) if (!key.includes('/board/leases/')) found.push(`${key} ${etag}`);
    return found.filter((one) => !one.startsWith(keys.boardBatchPrefix('cars')));
  };

  it('is answered, drawn on and taken back like a finding, and leaves nothing but its own answer', async () => {
    const before = await stored();
    const { id, imageId, given, proposed, hasProposal } = await shown();
    assert.deepEqual([given.value, proposed?.value, hasProposal], [0, PART, true]);
    assert.equal((await ask(`/images/${imageId}`)).status, 200);
    const label = async (which: string): Promise<{ digest: string; pixels: Uint8Array }> => {
      const response = await ask(`/findings/${id}/${which}`);
      assert.equal(response.status, 200);
      const digest = response.headers.get('x-partloop-digest') ?? '';
      return { digest, pixels: new Uint8Array(await response.arrayBuffer()) };
    };
    const [spoiled, right] = [await label('given'), await label('proposed')];
    assert.ok(!spoiled.pixels.includes(PART) && right.pixels.includes(PART));

    const drawn = await ask(`/findings/${id}/drawn`, {
      method: 'POST',
      body: gzipSync(right.pixels),
      headers: { 'x-partloop-seen': spoiled.digest, 'content-type': 'application/octet-stream' },
    });
    assert.equal(drawn.status, 200, await drawn.clone().text());
    const redrawn = z.object({ seen: z.string(), drawn: z.string() }).parse(await drawn.json());
    const { progress: untouched } = await queue();
    assert.equal((await post('/answers', { findingId: id, verdict: 'wrong', redrawn, activeMs: 900 })).status, 200);
    const { items, progress } = await queue();
    assert.ok(!items.some((one) => one.id === id));
    assert.deepEqual(
      [progress.answered - untouched.answered, progress.matching - untouched.matching, progress.own, progress.waiting],
      [1, 0, 1, 1],
      'the progress goes on as after a finding',
    );
    assert.deepEqual(await (await post('/undo', {})).json(), { undone: id });
    assert.equal((await queue(`?first=${id}`)).items[0]?.id, id);
    assert.equal((await post('/answers', { findingId: id, verdict: 'accept', activeMs: 900 })).status, 200);
    assert.deepEqual(await (await post('/hand-in', {})).json(), { notApplied: [] });
    assert.deepEqual(await stored(), before);
    assert.deepEqual((await readReviews(store, 'cars')).imports, []);
    const page = await (await fetch(board.urlOf(`/reviewers/${SCAN}`))).text();
    assert.match(page, /1 of 1: 100 % \(\d+ % to 100 %\)/);
  });

  it('is not among many at once, and is nothing to another reviewer', async () => {
    await shown();
    const { items } = await queue('?count=60');
    assert.equal(items.length, FOUND);
    assert.equal((await post('/selections', { findingIds: [planted] })).status, 404);
    reviewer = 'Somebody else';
    assert.equal((await ask(`/findings/${planted}/given`)).status, 404);
    assert.equal((await post('/answers', { findingId: planted, verdict: 'accept', activeMs: 1 })).status, 404);
  });
});
