import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FaultProxy, type StoreFault } from './proxy.js';

const BODY = 'x'.repeat(10_000);
const FOR_EVER_MS = 60_000;

describe('the proxy in front of a store', () => {
  let server: Server;
  let proxy: FaultProxy;

  before(async () => {
    server = createServer((incoming, answer) => {
      if (incoming.method === 'PUT') incoming.pipe(answer);
      else answer.writeHead(200, { 'content-length': BODY.length, host: incoming.headers.host ?? '' }).end(BODY);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    proxy = await FaultProxy.start(
      () => (server.address() as AddressInfo).port,
      () => 0,
    );
  });

  after(async () => {
    await proxy.stop();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  async function during<T>(fault: StoreFault, work: () => Promise<T>): Promise<{ got: T; hit: number }> {
    const over = new AbortController();
    const misbehaving = proxy.misbehave(fault, FOR_EVER_MS, over.signal);
    const got = await work().finally(() => over.abort());
    return { got, hit: await misbehaving };
  }

  it('passes requests and answers on unchanged, the host name included', async () => {
    const answer = await fetch(`${proxy.url}/a`);
    assert.equal(await answer.text(), BODY);
    assert.equal(`http://${answer.headers.get('host')}`, proxy.url);
    const put = await fetch(`${proxy.url}/a`, { method: 'PUT', body: BODY });
    assert.equal(await put.text(), BODY);
  });

  it('answers with errors and refusals for as long as it is told to, and no longer', async () => {
    const errors = await during({ kind: 's3-errors', share: 1 }, () => fetch(`${proxy.url}/a`));
    assert.equal(errors.got.status, 500);
    assert.equal(errors.hit, 1);
    const refused = await during({ kind: 's3-forbidden', share: 1 }, () =>
      fetch(`${proxy.url}/a`, { method: 'PUT', body: BODY }),
    );
    assert.equal(refused.got.status, 403);
    assert.match(await refused.got.text(), /AccessDenied/);
    assert.equal((await fetch(`${proxy.url}/a`)).status, 200);
  });

  it('cuts a body off in the middle, with the length of the whole', async () => {
    const answer = await during({ kind: 's3-truncated', share: 1 }, async () => {
      const cut = await fetch(`${proxy.url}/a`);
      assert.equal(Number(cut.headers.get('content-length')), BODY.length);
      return cut.text().catch(() => 'cut off');
    });
    assert.equal(answer.got, 'cut off');
  });

  it('swallows requests, and cuts them off at the end', async () => {
    const over = new AbortController();
    const swallowing = proxy.misbehave({ kind: 's3-blackhole' }, FOR_EVER_MS, over.signal);
    const asked = fetch(`${proxy.url}/a`).then(
      () => 'answered',
      () => 'cut off',
    );
    assert.equal(await Promise.race([asked, new Promise((done) => setTimeout(() => done('waits'), 100))]), 'waits');
    over.abort();
    await swallowing;
    assert.equal(await asked, 'cut off');
  });
});
