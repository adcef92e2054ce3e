import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import type { ServedBoard } from '../../board/server/serve.js';
import { PartloopError } from '../../domain/base/errors.js';
import { loopConfigSchema } from '../../domain/config.js';
import { withAttempt } from '../../domain/loop/state.js';
import { updateLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { needsBrowser } from '../support/browser/browser.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { boardOver } from './kit.js';

const LOOP = 'cars-loop';
const REPORT =
  '<!doctype html><title>Report</title><style>p{color:red}</style><p>All of iteration 1</p><a href="/loops/cars-loop">Its loop</a>';

describe('a loop on the board', function () {
  this.timeout(180_000);
  const open = needsBrowser();
  let server: TestStore;
  let store: ObjectStore;
  let board: ServedBoard;

  before(async () => {
    server = await startTestStore();
    store = server.open('loop');
    const config = loopConfigSchema.parse({ pool: 'cars' });
    await store.put('report.html', REPORT);
    for (const iteration of [1, 2])
      await updateLoopState(store, LOOP, (state) =>
        withAttempt(state, iteration, {
          ...{ runId: `run-${iteration}`, status: iteration === 1 ? 'finished' : 'failed', config, force: null },
          error: iteration === 1 ? null : 'training-diverged: <b>the loss</b> is not a number',
          results: {
            draw: stepResult('draw', {}, { drawn: 130, poolVersion: 1 }),
            ...(iteration === 1 ? { report: stepResult('report', { report: 'report.html' }) } : {}),
          },
          recordedAt: '2026-05-01T08:00:00.000Z',
        }),
      );
    board = await boardOver(store);
  });
  after(async () => {
    await board.close();
    await server.stop();
  });

  it('shows what each step of each iteration did, and leads to its report', async () => {
    const { page, errors } = await open({ width: 1440, height: 900 });
    await page.goto(board.urlOf('/'));
    await page.getByRole('link', { name: LOOP }).click();
    await page.getByRole('heading', { name: 'Iteration 2' }).waitFor();
    assert.match(
      (await page.locator('#iteration-2 [role=alert]').textContent()) ?? '',
      /<b>the loss<\/b> is not a number/,
    );
    assert.match((await page.locator('.steps').last().textContent()) ?? '', /draw.*images drawn: 130/s);
    await page.getByRole('link', { name: 'Report' }).click();
    await page.getByText('All of iteration 1').waitFor();
    await page.getByRole('link', { name: 'Its loop' }).click();
    await page.getByRole('heading', { name: `Loop ${LOOP}` }).waitFor();
    assert.deepEqual(errors, []);
  });

  it('shows what the store has and says why it cannot steer, where no Temporal service answers', async () => {
    const silent = await boardOver(store, {
      temporal: {
        uiUrl: null,
        connect: async () => {
          throw new PartloopError('stack-unavailable', 'no Temporal service answers at 127.0.0.1:1', {
            hint: '`partloop status` shows what runs.',
          });
        },
      },
    });
    try {
      const page = await (await fetch(silent.urlOf(`/loops/${LOOP}`))).text();
      assert.match(page, /cannot be steered from here: no Temporal service answers at 127\.0\.0\.1:1/);
      assert.match(page, /`partloop status` shows what runs\./);
      assert.match(page, /<h2>Iteration 2<\/h2>/);
      assert.doesNotMatch(page, /<form/);
      const all = await (await fetch(silent.urlOf('/loops'))).text();
      assert.match(all, new RegExp(`no Temporal service answers.*/loops/${LOOP}"`, 's'));
      const headers = { 'sec-fetch-site': 'same-origin' };
      const asked = await fetch(silent.urlOf(`/loops/${LOOP}/pause`), { method: 'POST', headers });
      assert.equal(asked.status, 503);
      assert.match(await asked.text(), /id="refusal".*no Temporal service answers at 127\.0\.0\.1:1/s);
    } finally {
      await silent.close();
    }
  });

  it('shows what the store has while a Temporal service takes calls and answers none', async () => {
    const calls: Socket[] = [];
    const silent = createServer((call) => calls.push(call)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = z.object({ port: z.number() }).parse(silent.address());
    const waiting = await boardOver(store, {
      temporal: {
        uiUrl: null,
        connect: async () =>
          new Client({
            connection: await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: '5 seconds' }),
          }),
      },
    });
    try {
      const page = await (await fetch(waiting.urlOf(`/loops/${LOOP}`))).text();
      assert.match(
        page,
        /cannot be steered from here: the Temporal service does not answer yet.*<h2>Iteration 2<\/h2>/s,
      );
    } finally {
      await waiting.close();
      silent.close();
      for (const call of calls) call.destroy();
    }
  });

  it('refuses loops and iterations that there are not', async () => {
    for (const path of ['/reports/cars-loop/2', '/reports/cars-loop/9', '/reports/cars-loop/x', '/loops/No%20Way']) {
      const { status } = await fetch(board.urlOf(path));
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
  });
});
