import assert from 'node:assert/strict';
import type { ServedBoard } from '../../board/server/serve.js';
import { readBatches } from '../../storage/board.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { SCAN } from '../pool/review/scannedPool.js';
import { needsBrowser } from '../support/browser/browser.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { boardOver, poolForBoard } from './kit.js';

const IMAGES = 14;
const ASKS = {
  ...{ 'x-partloop': '1', 'x-partloop-session': 'session-of-this-test', cookie: 'partloop_name=Ann' },
  'content-type': 'application/json',
};

describe('many findings on the board', function () {
  this.timeout(180_000);
  const open = needsBrowser();
  let server: TestStore;
  let store: ObjectStore;
  let board: ServedBoard;
  let findingIds: string[];

  before(async () => {
    server = await startTestStore();
  });
  after(() => server.stop());
  beforeEach(async () => {
    store = server.open(`grid-${Math.random().toString(36).slice(2)}`);
    const { findings } = await poolForBoard(store, IMAGES, { kindOf: (at) => (at < 12 ? 'missing_part' : 'hole') });
    findingIds = findings.map(({ findingId }) => findingId);
    board = await boardOver(store);
  });
  afterEach(() => board.close());

  const post = async (path: string, body: unknown): Promise<{ status: number; answer: Record<string, unknown> }> => {
    const url = board.urlOf(`/api/scans/${SCAN}${path}`);
    const response = await fetch(url, { method: 'POST', headers: ASKS, body: JSON.stringify(body) });
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  };
  const answers = async (): Promise<number> => (await readBatches(store, 'cars')).flatMap((one) => one.answers).length;

  it('get one answer after ten of them were seen large', async () => {
    const { page, errors } = await open({ width: 1440, height: 900 });
    await page.goto(board.urlOf(`/grid/${SCAN}?kind=missing_part`));
    await page.getByLabel('Name').fill('Ann');
    await page.keyboard.press('Enter');
    await page.locator('.card').nth(11).waitFor();
    assert.equal(await page.locator('.card').count(), 12);
    await page.keyboard.press('a');
    await page.keyboard.press('j');
    for (let look = 1; look <= 10; look++) {
      await page.getByText(`${look} of 10: does`).waitFor();
      await page.keyboard.press('j');
    }
    await page.getByText('Proposal right: 12 findings').waitFor();
    assert.equal(await answers(), 12);
    assert.deepEqual(errors, []);
  });

  it('stay open if the answer does not fit one that is shown', async () => {
    const { page } = await open({ width: 1440, height: 900 });
    await page.goto(board.urlOf(`/grid/${SCAN}?kind=missing_part`));
    await page.getByLabel('Name').fill('Ann');
    await page.keyboard.press('Enter');
    await page.locator('.card').nth(11).waitFor();
    await page.keyboard.press('a');
    await page.keyboard.press('k');
    await page.getByText('1 of 10: does').waitFor();
    await page.keyboard.press('n');
    await page.getByText('Ended: nothing is answered.').waitFor();
    assert.equal(await answers(), 0);
  });

  it('get no answer unseen, and none across kinds', async () => {
    const mixed = await post('/selections', { findingIds });
    assert.equal(mixed.status, 400);
    assert.match(String(mixed.answer.error), /2 kinds or pairs of classes/);
    const { answer } = await post('/selections', { findingIds: findingIds.slice(0, 12) });
    const shown = (answer.findings as { id: string }[]).map(({ id }) => id);
    assert.equal(shown.length, 10);
    const path = `/selections/${String(answer.id)}/answer`;
    const unseen = await post(path, { verdict: 'right', seen: shown.slice(1), activeMs: 1 });
    assert.equal(unseen.status, 400);
    assert.equal((await post(path, { verdict: 'wrong', seen: shown, activeMs: 1 })).status, 400);
    assert.equal(await answers(), 0);
    assert.equal((await post(path, { verdict: 'right', seen: shown, activeMs: 1_200 })).status, 200);
    assert.equal(await answers(), 12);
    assert.equal((await post(path, { verdict: 'right', seen: shown, activeMs: 1_200 })).status, 404);
  });
});
