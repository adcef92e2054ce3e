import assert from 'node:assert/strict';
import type { ServedBoard } from '../../board/server/serve.js';
import { readBatches } from '../../storage/board.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readReviews } from '../../storage/reviews.js';
import { SCAN, type ScannedPool } from '../pool/review/scannedPool.js';
import { needsBrowser, type WatchedPage } from '../support/browser/browser.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { boardOver, poolForBoard } from './kit.js';

const IMAGES = 26;
const ANSWERS = ['j', 'k', ';'] as const;

describe('a review on the board', function () {
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
  beforeEach(async function () {
    store = server.open(`board-${this.currentTest?.title.length}-${Date.now()}`);
    cars = await poolForBoard(store, IMAGES);
    board = await boardOver(store);
  });
  afterEach(() => board.close());

  /** A page at which a reviewer gave a name, with its first finding. */
  async function reviewing(name: string): Promise<WatchedPage> {
    const watched = await open({ width: 1440, height: 900 });
    const { page } = watched;
    await page.goto(board.urlOf(`/review/${SCAN}`));
    await page.getByLabel('Name').fill(name);
    await page.keyboard.press('Enter');
    await page.locator('body[data-shown^="f-"]').waitFor();
    return watched;
  }
  const shownOn = async ({ page }: WatchedPage): Promise<string> =>
    (await page.locator('body').getAttribute('data-shown')) ?? '';

  /** Press a key that ends a finding, and wait for the next one. */
  async function press(watched: WatchedPage, key: string): Promise<string> {
    const before = await shownOn(watched);
    await watched.page.keyboard.press(key);
    await watched.page.locator(`body[data-shown^="f-"]:not([data-shown="${before}"])`).waitFor();
    return before;
  }
  const waiting = ({ page }: WatchedPage, count: number) =>
    page.getByText(new RegExp(`· ${count} not handed in yet`)).waitFor();

  it('is done by keys alone, with a drawn label, undone answers and a reload', async () => {
    const watched = await reviewing('Ann');
    const { page, errors } = watched;
    const answered: string[] = [];
    for (let at = 0; at < 19; at++) answered.push(await press(watched, ANSWERS[at % ANSWERS.length] ?? 'j'));

    // The twentieth is drawn: three dabs of the brush, moved by arrows.
    const drawn = await shownOn(watched);
    await page.keyboard.press('l');
    await page.getByRole('button', { name: 'Save' }).waitFor();
    await page.keyboard.press('2');
    for (const key of ['Space', 'ArrowRight', 'Space', 'ArrowDown', 'Space']) await page.keyboard.press(key);
    await press(watched, 'Enter');
    await waiting(watched, 20);

    for (let undone = 0; undone < 3; undone++) await press(watched, 'u');
    await waiting(watched, 17);
    await page.reload();
    await page.locator('body[data-shown^="f-"]').waitFor();
    await waiting(watched, 17);
    // What was taken back comes again, and a reload forgets nothing: one more goes back.
    await press(watched, 'u');
    await waiting(watched, 16);
    const again = await shownOn(watched);
    assert.equal(again, answered[16]);
    await press(watched, 'k');
    await waiting(watched, 17);
    await page.keyboard.press('o');
    await waiting(watched, 0);

    const { verdicts } = await readReviews(store, 'cars');
    assert.equal(verdicts.length, 17);
    assert.deepEqual(new Set(verdicts.map(({ findingId }) => findingId)), new Set(answered.slice(0, 17)));
    assert.ok(verdicts.every(({ reviewer }) => reviewer === 'Ann'));
    assert.ok(!verdicts.some(({ findingId }) => findingId === drawn));
    assert.deepEqual(errors, []);
  });

  it('puts what was drawn into the label, and nothing else', async () => {
    const watched = await reviewing('Ann');
    const { page } = watched;
    const findingId = await shownOn(watched);
    await page.keyboard.press('l');
    await page.getByRole('button', { name: 'Save' }).waitFor();
    await page.keyboard.press('Space');
    await press(watched, 'Enter');
    await waiting(watched, 1);
    await page.keyboard.press('o');
    await waiting(watched, 0);

    const at = cars.findings.findIndex((finding) => finding.findingId === findingId);
    const before = await cars.now(((at + 1) % IMAGES) + 1);
    const after = await cars.labelOf(cars.images[at]?.imageId ?? '');
    const changed = [...after].flatMap((value, pixel) => (value === before.label[pixel] ? [] : { value, pixel }));
    assert.ok(changed.length > 0 && changed.length < after.length / 4, `${changed.length} pixels changed`);
    assert.deepEqual(new Set(changed.map(({ value }) => value)), new Set([3]));
    const [verdict] = (await readReviews(store, 'cars')).verdicts;
    assert.equal(verdict?.verdict, 'wrong');
    assert.notEqual(verdict?.correctedSha256, null);
  });

  it('never shows one finding in two browsers', async () => {
    const [ann, bob] = [await reviewing('Ann'), await reviewing('Bob')];
    const seen = new Set<string>();
    for (let at = 0; at < 8; at++)
      for (const watched of [ann, bob]) {
        const finding = await shownOn(watched);
        assert.ok(!seen.has(finding), `${finding} was shown twice`);
        seen.add(finding);
        await press(watched, 'k');
      }
    await waiting(ann, 8);
    // Who leaves a page leaves its findings to others.
    const left = await shownOn(ann);
    await ann.page.goto(board.urlOf('/'));
    const eve = await reviewing('Eve');
    assert.equal(await shownOn(eve), left);
    await waiting(bob, 8);
    const answers = (await readBatches(store, 'cars')).flatMap((batch) => batch.answers);
    assert.equal(new Set(answers.map(({ findingId }) => findingId)).size, 16);
  });
});
