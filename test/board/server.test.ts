import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { QueueAnswer } from '../../domain/board/protocol.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readReviews } from '../../storage/reviews.js';
import { SCAN } from '../pool/review/scannedPool.js';
import { ROOT } from '../support/binaries.js';
import { needsBrowser } from '../support/browser/browser.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { poolForBoard } from './kit.js';

const PREFIX = 'board';

describe('the server of the board', function () {
  this.timeout(180_000);
  let server: TestStore;
  let store: ObjectStore;
  let prefix: string;
  const running = new Set<ChildProcess>();

  before(async () => {
    server = await startTestStore();
  });
  after(() => server.stop());
  beforeEach(() => {
    prefix = `${PREFIX}-${Math.random().toString(36).slice(2)}`;
    store = server.open(prefix);
  });
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  });

  /** A board in a process of its own, and its address. */
  async function start(host = '127.0.0.1'): Promise<{ child: ChildProcess; url: URL }> {
    const uri = store.uri;
    const main = join(ROOT, 'dist', 'test', 'board', 'boardMain.js');
    const child = spawn(process.execPath, [main, JSON.stringify({ ...server.options, uri, host })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { child, url: new URL(line) };
  }
  const ASKS = { 'x-partloop': '1', 'x-partloop-session': 'session-of-this-test', cookie: 'partloop_name=Ann' };
  const api = (url: URL, path: string): string => `${url.origin}/api/scans/${SCAN}${path}`;
  const queue = async (url: URL): Promise<QueueAnswer> => {
    const response = await fetch(api(url, '/queue'), { headers: ASKS });
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json()) as QueueAnswer;
  };
  const answer = (url: URL, findingId: string): Promise<Response> =>
    fetch(api(url, '/answers'), {
      method: 'POST',
      headers: { ...ASKS, 'content-type': 'application/json' },
      body: JSON.stringify({ findingId, verdict: 'right', activeMs: 500 }),
    });

  it('keeps every answer that it confirmed, and counts none twice, when it is killed between two', async () => {
    await poolForBoard(store, 12);
    const confirmed: string[] = [];
    for (let life = 0; life < 3; life++) {
      const { child, url } = await start();
      const { items } = await queue(url);
      for (const { id } of items.slice(0, 2)) {
        assert.equal((await answer(url, id)).status, 200);
        confirmed.push(id);
      }
      // A third is on its way.
      const last = answer(url, items[2]?.id ?? '').catch(() => null);
      child.kill('SIGKILL');
      await once(child, 'exit');
      if ((await last)?.ok === true) confirmed.push(items[2]?.id ?? '');
    }
    const { child, url } = await start();
    const { progress } = await queue(url);
    child.kill('SIGTERM');
    await once(child, 'exit');
    const found = (await readReviews(store, 'cars')).verdicts.map(({ findingId }) => findingId);
    assert.equal(new Set(found).size, found.length);
    assert.deepEqual(
      confirmed.filter((one) => !found.includes(one)),
      [],
    );
    assert.equal(progress.answered, found.length);
  });

  it('takes changes from its own pages alone, and answers under its own names alone', async () => {
    await poolForBoard(store, 1);
    const { url } = await start();
    const post = (headers: Record<string, string>): Promise<Response> =>
      fetch(new URL('/name', url), { method: 'POST', body: 'name=Eve&next=/', redirect: 'manual', headers });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal((await post({ ...form, 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.equal((await post({ ...form, origin: 'http://evil.example' })).status, 403);
    assert.equal((await post({ ...form, origin: 'null' })).status, 403);
    assert.equal((await post(form)).status, 403);
    assert.equal((await post({ ...form, origin: url.origin })).status, 303);
    assert.equal((await post({ ...form, 'sec-fetch-site': 'same-origin' })).status, 303);
    const page = await fetch(url);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*script-src 'self'/);
    assert.doesNotMatch(page.headers.get('content-security-policy') ?? '', /unsafe/);
  });

  it('sends nobody to another server after the name', async () => {
    await poolForBoard(store, 1);
    const { url } = await start();
    for (const next of ['//evil.example/', 'http://evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
      const response = await fetch(new URL('/name', url), {
        ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams({ name: 'Ann', next }) },
        headers: { 'sec-fetch-site': 'same-origin' },
      });
      assert.equal(response.headers.get('location'), '/', next);
    }
  });

  it('lets in who has its link where it listens beyond this machine, once', async () => {
    await poolForBoard(store, 1);
    const { url } = await start('0.0.0.0');
    url.hostname = '127.0.0.1';
    assert.equal((await fetch(new URL('/', url))).status, 401);
    assert.equal((await fetch(new URL('/enter?key=guessed', url))).status, 401);
    const entered = await fetch(url);
    assert.equal(entered.status, 200);
    const cookie = entered.headers.get('set-cookie') ?? '';
    assert.match(cookie, /HttpOnly/i);
    assert.match(cookie, /SameSite=Lax/i);
    assert.equal((await fetch(url)).status, 401);
    assert.equal((await fetch(new URL('/', url), { headers: { cookie: cookie.split(';')[0] ?? '' } })).status, 200);
  });

  it('answers what makes no sense with a reason, and goes on', async () => {
    await poolForBoard(store, 1);
    const { url } = await start();
    const refused = async (path: string, init: RequestInit = {}): Promise<[number, string]> => {
      const response = await fetch(api(url, path), {
        ...init,
        headers: { ...ASKS, 'content-type': 'application/json' },
      });
      return [response.status, await response.text()];
    };
    const post = (body: string): RequestInit => ({ method: 'POST', body });
    for (const [path, init] of [
      ['/answers', post('{')],
      ['/answers', post('{"findingId":"f-none","verdict":"right","activeMs":1}')],
      ['/answers', post('{"findingId":"f-none","verdict":"maybe","activeMs":1}')],
      ['/queue?kind=nothing', {}],
      ['/queue?first=nothing', {}],
      ['/images/../../etc/passwd', {}],
      ['/findings/none/given', {}],
    ] as const) {
      const [status] = await refused(path, init);
      assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
    }
    assert.equal((await queue(url)).items.length, 1);
  });

  describe('with names that attack', () => {
    const open = needsBrowser();

    it('shows them as text', async () => {
      const hostile = `<img src=x onerror="document.title='broken'">\u202Egpj.exe${'x'.repeat(900)}`;
      await poolForBoard(store, 1, { fileName: hostile });
      const { url } = await start();
      const { page, errors } = await open({ width: 1440, height: 900 });
      await page.goto(new URL(`/review/${SCAN}`, url).href);
      await page.getByLabel('Name').fill('<b onclick=alert(1)>Eve</b>');
      await page.keyboard.press('Enter');
      await page.locator('body[data-shown^="f-"]').waitFor();
      assert.equal(await page.locator('#finding bdi').first().textContent(), hostile);
      assert.equal(await page.locator('.who').textContent(), '<b onclick=alert(1)>Eve</b>');
      assert.equal(await page.locator('aside img, aside b[onclick]').count(), 0);
      assert.notEqual(await page.title(), 'broken');
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(width <= 1440, `the page is ${width} pixels wide`);
      assert.deepEqual(errors, []);
    });
  });
});
