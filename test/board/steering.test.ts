import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { createLoopActivities } from '../../activities/loop.js';
import { createRunningActivities } from '../../activities/running.js';
import type { ServedBoard } from '../../board/server/serve.js';
import { decisionSchema, type RegisteredModel } from '../../domain/decide/decision.js';
import { withAttempt } from '../../domain/loop/state.js';
import type { LoopStatus } from '../../domain/messages.js';
import type { Progress } from '../../domain/progress.js';
import { liveLoop } from '../../steering/loopClient.js';
import { updateLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readRegistry } from '../../storage/registry.js';
import { castError } from '../../workers/castErrors.js';
import { needsBrowser, takePicture } from '../support/browser/browser.js';
import { givenCard } from '../support/models/givenModel.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { localEnvironment, withOtherWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, testConfig } from '../support/standIns/fakeActivities.js';
import { type StepGate, stepGate } from '../support/standIns/stepGate.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { taxonomy } from '../training/tinyPool.js';
import { boardOver, poolForBoard } from './kit.js';

const CARD = givenCard(taxonomy, 64, 'c'.repeat(64));
const UI = 'http://127.0.0.1:8233';
const JUDGING: Progress = { phase: 'judging', done: 1, total: 3, unit: 'images' };

/** Loops whose steps do nothing, and whose books are in a real store. */
describe('steering on the board', function () {
  this.timeout(180_000);
  const open = needsBrowser();
  let server: TestStore;
  let store: ObjectStore;
  let environment: TestWorkflowEnvironment;
  let board: ServedBoard;
  let gate: StepGate | null = null;
  let stopWorkers = (): void => undefined;
  let working: Promise<void>;
  let fail: ReturnType<typeof fakeActivities>['fail'];

  before(async () => {
    [server, environment] = await Promise.all([startTestStore(), localEnvironment()]);
    store = server.open('steering');
    await poolForBoard(store, 2);
    const { client } = environment;
    const fake = fakeActivities({
      until: async (name) => gate?.until(name),
    });
    ({ fail } = fake);
    const { isRunning, joinWorkflow } = createRunningActivities({ client });
    const deps = { store, client, home: tmpdir(), root: tmpdir(), log: pino({ level: 'silent' }) };
    const books = { ...fake.activities, ...createLoopActivities(deps), isRunning, joinWorkflow };
    const ended = new Promise<void>((resolve) => {
      stopWorkers = resolve;
    });
    working = withOtherWorkers(environment, casting(books), () => ended);
    board = await boardOver(store, { temporal: { connect: () => clientOf(environment), uiUrl: UI } });
  });
  after(async () => {
    await board?.close();
    stopWorkers();
    await working;
    await environment?.teardown();
    await server?.stop();
  });
  afterEach(() => {
    gate?.open();
    gate = null;
  });

  const post = (path: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    fetch(board.urlOf(path), {
      ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) },
      headers: { 'sec-fetch-site': 'same-origin', ...headers },
    });
  const pageOf = async (path: string): Promise<string> => (await fetch(board.urlOf(path))).text();
  const until = async (loop: string, wanted: (status: LoopStatus) => boolean): Promise<LoopStatus> => {
    for (;;) {
      const { status } = await liveLoop(environment.client, store, loop);
      if (wanted(status)) return status;
      await sleep(50);
    }
  };
  const start = async (loop: string, fields: Record<string, string> = {}): Promise<void> => {
    const started = await post('/loops', { pool: 'cars', loop, ...fields });
    assert.equal(started.status, 303, await started.text());
  };
  const refused = async (response: Response, status: number, words: RegExp): Promise<void> => {
    const text = await response.text();
    assert.equal(response.status, status, text);
    assert.match(text, words);
  };

  it('starts a loop, shows the step under way with its progress, and renews itself around what somebody types', async () => {
    gate = stepGate('shard:0', JUDGING);
    const { page, errors } = await open({ width: 1440, height: 900 });
    await page.goto(board.urlOf('/'));
    await page.getByRole('link', { name: 'Loops' }).click();
    await page.getByLabel('Name of the loop').fill('seen');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('The loop was started.').waitFor();
    await takePicture(page, 'board-loops');
    await page.getByRole('link', { name: 'seen' }).click();
    await page.locator('#now').getByText('judging, 1 of 3 images').waitFor();
    await takePicture(page, 'board-loop');
    assert.match((await page.locator('#now').textContent()) ?? '', /running, iteration 1 \(scan\), 1 to go/);
    assert.equal(await page.locator('#now progress').getAttribute('max'), '3');
    assert.equal(
      await page.getByRole('link', { name: 'iteration 1' }).getAttribute('href'),
      `${UI}/namespaces/default/workflows/loop%3Aseen%3Aiteration%3A0001`,
    );
    await page.getByLabel('Iterations', { exact: true }).fill('7');
    gate.open();
    await page.locator('#now').getByText('idle').waitFor();
    await page.locator('#iteration-1').getByText('sample').first().waitFor();
    assert.equal(await page.getByLabel('Iterations', { exact: true }).inputValue(), '7');
    assert.deepEqual(errors, []);
  });

  it('pauses, resumes and stops by plain forms', async () => {
    gate = stepGate('train:1');
    await start('held', { iterations: '2' });
    await gate.atStep;
    assert.match(await pageOf('/loops/held'), /Pause before the next step/);
    const paused = await post('/loops/held/pause');
    assert.equal(paused.headers.get('location'), '/loops/held?done=pause');
    assert.match(await pageOf('/loops/held?done=pause'), /The loop holds when the current step ends/);
    gate.open();
    await until('held', ({ phase }) => phase === 'paused');
    assert.match(await pageOf('/loops/held'), /<strong>paused<\/strong>.*Resume/s);
    const resumed = await post('/loops/held/resume', { next: '/loops' });
    assert.equal(resumed.headers.get('location'), '/loops?done=resume');
    await until('held', ({ remaining }) => remaining === 0);
    assert.equal((await post('/loops/held/stop', { now: 'yes' })).status, 303);
    await until('held', ({ phase }) => phase === 'stopped');
    assert.doesNotMatch(await pageOf('/loops/held'), />Stop now<\/button>/);
  });

  it('says what holds a loop up, such as a step that somebody paused in Temporal', async () => {
    gate = stepGate('train:1');
    await start('stuck');
    await gate.atStep;
    const { client, namespace = 'default' } = environment;
    const workflowId = 'loop:stuck:iteration:0001';
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    const paused = {
      ...{ namespace, execution: { workflowId, runId: '' }, id: raw.pendingActivities?.[0]?.activityId ?? '' },
      identity: 'ann',
    };
    await client.workflowService.pauseActivity({ ...paused, reason: 'a <b>look</b>' });
    const page = await pageOf('/loops/stuck');
    assert.match(page, /train of loop:stuck:iteration:0001 is paused in Temporal, by ann \(a &lt;b&gt;look/);
    await client.workflowService.unpauseActivity(paused);
    gate.open();
    await until('stuck', ({ phase }) => phase === 'idle');
  });

  it('retries what failed, and does an iteration again from a step', async () => {
    fail('train:1', 'trainer-failed');
    await start('again');
    await until('again', ({ phase }) => phase === 'failed');
    assert.match(await pageOf('/loops/again'), /Last error: iteration 1:.*Retry from where it failed/s);
    assert.equal((await post('/loops/again/retry')).status, 303);
    await until('again', ({ phase }) => phase === 'idle');
    gate = stepGate('evaluate:1');
    assert.equal((await post('/loops/again/replay', { iteration: '1', from: 'train' })).status, 303);
    await gate.atStep;
    const running = await post('/loops/again/replay', { iteration: '1', from: 'draw' });
    await refused(running, 400, /iteration 1 is running, so nothing can be done again now.*Wait for its end/s);
    gate.open();
    await until('again', ({ phase }) => phase === 'idle');
    assert.match(await pageOf('/loops/again'), /done again|<td>done<\/td>/);
  });

  it('puts a model that waits for approval into production in the name that somebody gave', async () => {
    const model: RegisteredModel = {
      ...{ scan: 'm.onnx', card: 'model.json', loop: 'approved', digest: '7'.repeat(64), iteration: 1 },
    };
    const decision = decisionSchema.parse({
      ...{ version: 1, gate: 'held', promoted: false, reasons: [], pendingApproval: true, testVersion: 't' },
      ...{ candidate: model, benchmark: null, candidateMiou: 0.6, benchmarkMiou: null, gain: null },
      ...{ lower: null, upper: null, detectable: null, units: 1, look: null, alpha: null, slices: [], lostClasses: [] },
      previousCandidate: null,
    });
    await store.put('decision.json', JSON.stringify(decision));
    await store.put('model.json', JSON.stringify(CARD));
    const facts = { gate: 'held' as const, pendingApproval: true };
    await updateLoopState(store, 'approved', (state) =>
      withAttempt(state, 1, {
        ...{ runId: 'r', status: 'finished', error: null, config: testConfig, force: null },
        results: { decide: stepResult('decide', { decision: 'decision.json' }, facts) },
        recordedAt: '2026-05-01T08:00:00.000Z',
      }),
    );
    assert.match(await pageOf('/loops/approved'), /The model of iteration 1 passed the gate/);
    await refused(await post('/loops/approved/approve', { iteration: '1' }), 400, /field `by`: it is missing/);
    assert.equal((await post('/loops/approved/approve', { iteration: '1', by: 'Kim <b>' })).status, 303);
    const { history } = await readRegistry(store, CARD.taxonomyDigest);
    assert.equal(history.at(-1)?.reason, 'approved by Kim <b>');
    assert.doesNotMatch(await pageOf('/loops/approved'), /passed the gate/);
  });

  it('says why a request is refused and what to do, and keeps what was typed', async () => {
    await start('fine');
    await until('fine', ({ phase }) => phase === 'idle');
    await refused(await post('/loops/fine/retry'), 400, /nothing failed, so there is nothing to retry/);
    await refused(await post('/loops/fine/adopt'), 404, /has no proposed settings/);
    const wrong = await post('/loops/fine/start', { iterations: '0', imageSize: '96' });
    await refused(wrong.clone(), 400, /field `iterations`/);
    assert.match(await wrong.text(), /name="imageSize" value="96"/);
    await refused(await post('/loops', { pool: 'no-such', loop: 'x' }), 404, /no pool `no-such`|no-such/);
    await refused(await post('/loops/fine/replay', { iteration: '9', from: 'train' }), 404, /has no iteration 9/);
    await refused(await post('/loops/fine/replay', { iteration: '1', from: 'lunch' }), 400, /lunch/);
  });

  it('refuses loops that there are not, hostile names, unknown requests and other pages', async () => {
    await refused(await post('/loops/nobody/pause'), 404, /there is no loop `nobody`/);
    assert.equal((await fetch(board.urlOf('/loops/nobody'))).status, 404);
    const hostile = encodeURIComponent('<img src=x onerror=alert(1)>');
    for (const path of [`/loops/${hostile}`, '/loops/..%2f..%2fetc', `/loops/${'a'.repeat(64)}`]) {
      const response = await fetch(board.urlOf(path));
      assert.ok(response.status === 400 || response.status === 404, path);
      assert.doesNotMatch(await response.text(), /<img/);
    }
    await refused(await post('/loops', { pool: 'cars', loop: '<b>x</b>' }), 400, /&lt;b&gt;x&lt;\/b&gt;/);
    assert.equal((await post('/loops/fine/explode')).status, 400);
    assert.equal((await post('/loops/fine/pause', {}, { 'sec-fetch-site': 'cross-site' })).status, 403);
  });
});

const clientOf = async ({ address, namespace }: TestWorkflowEnvironment): Promise<Client> =>
  new Client({ connection: await Connection.connect({ address }), namespace: namespace ?? 'default' });

/** Activities whose errors travel as those of a worker do. */
function casting(activities: object): object {
  return Object.fromEntries(
    Object.entries(activities).map(([name, work]: [string, (input: never) => Promise<unknown>]) => [
      name,
      async (input: never) => {
        try {
          return await work(input);
        } catch (error) {
          throw castError(error, { role: 'light', host: 'test' });
        }
      },
    ]),
  );
}
