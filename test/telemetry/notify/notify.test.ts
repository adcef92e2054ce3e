import assert from 'node:assert/strict';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { loopConfigSchema } from '../../../domain/config.js';
import { emptyLoopState, type IterationAttempt, withAttempt } from '../../../domain/loop/state.js';
import { attemptOccasions, type Occasion } from '../../../domain/notify/occasion.js';
import { deliver, type Patience } from '../../../telemetry/notify/delivery.js';
import { messageOf } from '../../../telemetry/notify/message.js';
import { notifier } from '../../../telemetry/notify/notifier.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { stepResult } from '../../support/standIns/stepResult.js';
import { Receiver, SECRET } from './receiver.js';

const QUICK: Patience = { budgetMs: 5_000, tryMs: 2_000, pauseMs: 5 };
const config = loopConfigSchema.parse({ pool: 'cars' });
const OCCASION: Occasion = {
  ...{ event: 'iteration.finished', loop: 'cars', iteration: 3, of: 'run-1' },
  workflowId: 'loop:cars:iteration:0003',
  text: 'cars, iteration 3 finished: mIoU 0.6',
  figures: { miou: 0.6 },
  report: 'loops/cars/iterations/0003/report/x/index.html',
};
const attempt = (fields: Partial<IterationAttempt> = {}): IterationAttempt => ({
  ...{ runId: 'run-1', status: 'finished', error: null, results: {}, config, force: null },
  recordedAt: '2026-11-01T00:00:00.000Z',
  ...fields,
});

describe('messages to a webhook', () => {
  let receiver: Receiver;
  let store: ReturnType<typeof memoryStore>;
  let logged: string[];
  const made = (patience = QUICK) =>
    notifier({
      webhook: { url: `${receiver.url}?token=hidden-in-the-address`, secret: SECRET },
      ...{ store, patience, uiUrl: 'http://127.0.0.1:8233', namespace: 'default' },
      log: pino({}, { write: (line: string) => void logged.push(line) }),
    });

  beforeEach(async () => {
    receiver = await Receiver.start();
    store = memoryStore();
    logged = [];
  });
  afterEach(() => receiver.stop());

  it('are signed, and say what happened, where the report is and where Temporal shows it', async () => {
    await made()([OCCASION]);
    assert.deepEqual(
      receiver.bodies.map(({ timestamp: _, ...body }) => body),
      [
        {
          text: 'cars, iteration 3 finished: mIoU 0.6\nReport: partloop report open cars 3\nhttp://127.0.0.1:8233/namespaces/default/workflows/loop%3Acars%3Aiteration%3A0003',
          type: 'iteration.finished',
          data: {
            ...{ loop: 'cars', iteration: 3, figures: { miou: 0.6 } },
            report: {
              uri: 's3://memory/store/loops/cars/iterations/0003/report/x/index.html',
              command: 'partloop report open cars 3',
            },
            temporal: 'http://127.0.0.1:8233/namespaces/default/workflows/loop%3Acars%3Aiteration%3A0003',
          },
        },
      ],
    );
    const [{ headers, raw } = assert.fail()] = receiver.requests;
    const forged = { ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])) };
    assert.throws(() => new Webhook(SECRET).verify(raw.replace('0.6', '0.9'), forged), /signature/i);
    const another = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    assert.throws(() => new Webhook(another).verify(raw, forged), /signature/i);
  });

  it('are sent again after a 500, with the same id and body', async () => {
    receiver.answer = (response, nth) => response.writeHead(nth === 0 ? 500 : 200).end();
    await made()([OCCASION]);
    assert.equal(receiver.requests.length, 2);
    assert.equal(new Set(receiver.ids).size, 1);
    assert.equal(new Set(receiver.requests.map(({ raw }) => raw)).size, 1);
    assert.equal(store.keys.filter((key) => key.startsWith('loops/cars/notifications/0003/')).length, 1);
  });

  it('are sent again if there is no answer in time or the connection breaks', async () => {
    receiver.answer = (response, nth) => {
      if (nth === 1) response.destroy();
      if (nth === 2) response.writeHead(200).end();
    };
    await made({ ...QUICK, tryMs: 300 })([OCCASION]);
    assert.equal(receiver.requests.length, 3);
    assert.equal(store.keys.length, 1);
  });

  it('are sent once, whoever tells the same occasion again', async () => {
    await made()([OCCASION]);
    await made()([OCCASION, OCCASION]);
    assert.equal(receiver.requests.length, 1);
    await made()([{ ...OCCASION, of: 'run-2' }]);
    assert.equal(new Set(receiver.ids).size, 2);
  });

  it('have the same id if two workers send them at the same moment', async () => {
    await Promise.all([made()([OCCASION]), made()([OCCASION])]);
    assert.equal(new Set(receiver.ids).size, 1);
    assert.equal(store.keys.length, 1);
  });

  it('are given up after a refusal, with a warning that names neither address nor secret, and told again later', async () => {
    receiver.answer = (response) => response.writeHead(410).end();
    await made()([OCCASION]);
    assert.equal(receiver.requests.length, 1);
    assert.deepEqual(store.keys, []);
    const log = logged.join('');
    assert.match(log, /"level":40.*status 410.*did not take a message/);
    for (const hidden of ['hidden-in-the-address', SECRET, SECRET.slice(6)]) assert.ok(!log.includes(hidden), hidden);
    receiver.answer = (response) => response.writeHead(200).end();
    await made()([OCCASION]);
    assert.equal(store.keys.length, 1);
  });

  it('fail nothing if nobody listens or the store is away, and share one budget of time', async () => {
    const { url } = receiver;
    await receiver.stop();
    const gone = await deliver({ url, secret: SECRET }, { id: 'msg_1', body: '{}' }, { ...QUICK, budgetMs: 100 });
    assert.deepEqual([gone.ok, gone.answer], [false, 'ECONNREFUSED']);
    assert.ok(gone.tries > 1);
    receiver = await Receiver.start();
    receiver.answer = () => undefined;
    await made({ budgetMs: 200, tryMs: 150, pauseMs: 100 })([OCCASION, { ...OCCASION, iteration: 4 }]);
    assert.ok(receiver.requests.length <= 3, `${receiver.requests.length} requests`);
    receiver.answer = (response) => response.writeHead(200).end();
    store.beforeWrite = () => {
      throw new Error('the store is away');
    };
    await made()([OCCASION]);
    assert.match(logged.at(-1) ?? '', /the store is away/);
  });

  it('follow no redirect and read nothing of an answer', async () => {
    receiver.answer = (response) => response.writeHead(302, { location: '/elsewhere' }).end();
    await made()([OCCASION]);
    assert.deepEqual(
      receiver.requests.map(({ path }) => path.split('?')[0]),
      ['/hook'],
    );
    receiver.answer = (response) => {
      response.writeHead(200);
      // Without an end: whoever reads it waits.
      response.write('x'.repeat(100_000));
    };
    await made()([OCCASION]);
    assert.equal(store.keys.length, 1);
  });

  it('cannot mention a channel of Slack by a file name in an error', () => {
    const text = 'cars failed: <!channel> & <https://a.example|b>';
    const { body } = messageOf(
      { ...OCCASION, text, report: null },
      { storeUri: 's3://a', uiUrl: null, namespace: 'x' },
    );
    assert.equal(JSON.parse(body).text, 'cars failed: &lt;!channel&gt; &amp; &lt;https://a.example|b&gt;');
  });
});

describe('what a recorded attempt is worth telling of', () => {
  const events = (occasions: Occasion[]) => occasions.map(({ event }) => event);

  it('is its end and its decision, and a decision that waits for approval says so', () => {
    const facts = { gate: 'held', gain: 0.02, lower: 0.01, upper: 0.03, pendingApproval: true, promoted: false };
    const done = attempt({ results: { decide: stepResult('decide', {}, facts) } });
    const told = attemptOccasions(withAttempt(emptyLoopState('cars'), 1, done), 1, done);
    assert.deepEqual(events(told), ['approval.needed', 'iteration.finished']);
    assert.equal(
      told[0]?.text,
      'cars, iteration 1: approval needed, +0.0200 mIoU (+0.0100 to +0.0300). Approve with: partloop iteration approve cars 1',
    );
    const promoted = attempt({ results: { decide: stepResult('decide', {}, { gate: 'promoted', promoted: true }) } });
    assert.deepEqual(events(attemptOccasions(withAttempt(emptyLoopState('cars'), 1, promoted), 1, promoted)), [
      'decision.made',
      'iteration.finished',
    ]);
  });

  it('is a failure with its reason, and a loop that stands still if the same iteration fails again', () => {
    const failed = (n: number) =>
      attempt({
        ...{ runId: `run-${n}`, status: 'failed', error: `no disk ${n}` },
        recordedAt: `2026-11-0${n}T00:00:00.000Z`,
      });
    const first = withAttempt(emptyLoopState('cars'), 2, failed(1));
    assert.deepEqual(events(attemptOccasions(first, 2, failed(1))), ['iteration.failed']);
    const second = withAttempt(first, 2, failed(2));
    const told = attemptOccasions(second, 2, failed(2));
    assert.deepEqual(events(told), ['iteration.failed', 'loop.halted']);
    assert.equal(told[1]?.text, 'cars stands still: iteration 2 failed 2 times in a row. Last: no disk 2');
    assert.deepEqual(told, attemptOccasions(withAttempt(second, 2, failed(2)), 2, failed(2)), 'recorded twice');
    const between = withAttempt(first, 2, attempt({ runId: 'run-2', recordedAt: '2026-11-02T00:00:00.000Z' }));
    const third = withAttempt(between, 2, failed(3));
    assert.deepEqual(events(attemptOccasions(third, 2, failed(3))), ['iteration.failed']);
  });
});
