import assert from 'node:assert/strict';
import { Webhook } from 'standardwebhooks';
import { partloopHere } from '../../support/cliHere.js';
import { Receiver, SECRET } from './receiver.js';

describe('partloop notify test', function () {
  this.timeout(60_000);
  let receiver: Receiver;
  const run = (environment: Record<string, string>) =>
    partloopHere(['notify', 'test', '--json'], { PARTLOOP_HOME: '/nowhere', ...environment });

  before(async () => {
    receiver = await Receiver.start();
  });
  after(() => receiver.stop());

  it('sends a signed message and says that it was taken', async () => {
    const { code, stdout, stderr } = await run({ PARTLOOP_NOTIFY_URL: receiver.url, PARTLOOP_NOTIFY_SECRET: SECRET });
    assert.equal(code, 0, stderr);
    const [{ headers, raw } = assert.fail()] = receiver.requests;
    const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    assert.match(JSON.stringify(new Webhook(SECRET).verify(raw, flat)), /a test message.*"type":"test"/);
    assert.deepEqual(JSON.parse(stdout), { id: receiver.ids[0], tries: 1, answer: 'status 204' });
  });

  it('says what the server answered, and nothing of the address', async () => {
    receiver.answer = (response) => response.writeHead(404).end();
    const { code, stderr } = await run({ PARTLOOP_NOTIFY_URL: receiver.url, PARTLOOP_NOTIFY_SECRET: SECRET });
    assert.equal(code, 6);
    assert.match(stderr, /did not take the message: status 404/);
    assert.ok(!stderr.includes(receiver.url));
  });

  it('says what to set if nothing is set', async () => {
    const { code, stderr } = await run({});
    assert.equal(code, 7);
    assert.match(stderr, /PARTLOOP_NOTIFY_URL is not set/);
  });
});
