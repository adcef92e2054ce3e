import assert from 'node:assert/strict';
import type { ServedBoard } from '../../board/server/serve.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readReviews } from '../../storage/reviews.js';
import { SCAN, type ScannedPool } from '../pool/review/scannedPool.js';
import { needsBrowser, type WatchedPage } from '../support/browser/browser.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { boardOver, poolForBoard } from './kit.js';

const IMAGES = 9;

describe('the page of an audit sample', function () {
  this.timeout(240_000);
  const open = needsBrowser();
  let server: TestStore;
  let store: ObjectStore;
  let cars: ScannedPool;
  let board: ServedBoard;

  before(async () => {
    server = await startTestStore();
  });
  after(() => server.stop());
  beforeEach(async () => {
    store = server.open(`audit-${Math.random().toString(36).slice(2)}`);
    cars = await poolForBoard(store, IMAGES, { rows: { auditChance: 0.5 } });
    board = await boardOver(store);
  });
  afterEach(() => board.close());

  const shownOn = async ({ page }: WatchedPage): Promise<string> =>
    (await page.locator('body').getAttribute('data-shown')) ?? '';

  /** Press a key that ends an image, and wait for the next one. */
  async function press(watched: WatchedPage, key: string): Promise<string> {
    const before = await shownOn(watched);
    await watched.page.keyboard.press(key);
    await next(watched, before);
    return before;
  }
  const next = ({ page }: WatchedPage, before: string) =>
    page.locator(`body[data-shown]:not([data-shown=""]):not([data-shown="${before}"])`).waitFor();
  const waiting = ({ page }: WatchedPage, count: number) =>
    page.getByText(new RegExp(`· ${count} not handed in yet`)).waitFor();

  it('takes whole labels by keys alone: right, drawn, wrong with what holds, unsure, undone, after a reload', async () => {
    const watched = await open({ width: 1440, height: 900 });
    const { page, errors } = watched;
    await page.goto(board.urlOf('/'));
    await page.getByRole('link', { name: `Audit sample: ${IMAGES} of ${IMAGES} open` }).click();
    await page.getByLabel('Name').fill('Ann');
    await page.keyboard.press('Enter');
    await page.locator('body[data-shown]:not([data-shown=""])').waitFor();
    // The scan's opinion is not on the screen, and there is no proposal to take.
    assert.equal(await page.getByText('probability').count(), 0);
    const first = await shownOn(watched);
    await page.keyboard.press('j');
    assert.equal(await shownOn(watched), first);

    const right = await press(watched, 'k');
    const drawn = await shownOn(watched);
    await page.keyboard.press('l');
    await page.getByRole('button', { name: 'Save' }).waitFor();
    for (const key of ['Space', 'ArrowRight', 'Space', 'ArrowDown', 'Space']) await page.keyboard.press(key);
    await page.keyboard.press('Enter');
    await next(watched, drawn);
    const objected = await shownOn(watched);
    await page.keyboard.press('w');
    await page.getByText('Which of these errors does the label have?').waitFor();
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await next(watched, objected);
    const unsure = await press(watched, ';');
    const undone = await press(watched, 'k');
    await waiting(watched, 5);
    await page.keyboard.press('u');
    await page.locator(`body[data-shown="${undone}"]`).waitFor();
    await page.reload();
    await waiting(watched, 4);
    await page.keyboard.press('o');
    await waiting(watched, 0);

    const { audits, verdicts } = await readReviews(store, 'cars');
    const said = new Map(audits.map((one) => [one.imageId, one]));
    assert.deepEqual(new Set(said.keys()), new Set([right, drawn, objected]));
    assert.deepEqual(
      [said.get(right)?.wrong, said.get(objected)?.wrong, said.get(objected)?.found],
      [false, true, true],
    );
    assert.ok(!said.has(unsure));
    assert.ok(audits.every(({ reviewer, chance }) => reviewer === 'Ann' && chance === 0.5));
    assert.deepEqual(new Set(verdicts.map(({ imageId }) => imageId)).has(objected), true);
    const [label, given] = [await cars.labelOf(drawn), await cars.labelOf(right)];
    assert.ok(
      label.some((value, pixel) => value !== given[pixel]),
      'what was drawn is in the label',
    );
    await page.goto(board.urlOf('/'));
    await page.getByRole('link', { name: `Audit sample: ${IMAGES - 3} of ${IMAGES} open` }).waitFor();
    assert.deepEqual(errors, []);
  });

  it('never shows one image in two browsers', async () => {
    const seen = new Set<string>();
    for (const name of ['Ann', 'Bob']) {
      const watched = await open({ width: 1440, height: 900 });
      await watched.page.goto(board.urlOf(`/audit/${SCAN}`));
      await watched.page.getByLabel('Name').fill(name);
      await watched.page.keyboard.press('Enter');
      await watched.page.locator('body[data-shown]:not([data-shown=""])').waitFor();
      const image = await shownOn(watched);
      assert.ok(!seen.has(image), `${image} was shown twice`);
      seen.add(image);
    }
  });
});
