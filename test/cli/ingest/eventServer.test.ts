import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { assertGuarded, type EventServerOptions, eventServer } from '../../../cli/ingest/eventServer.js';
import { PartloopError } from '../../../domain/base/errors.js';

const TOKEN = 'a-token-of-some-length';
const event = (...keys: string[]) => ({
  Records: keys.map((key) => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'b' }, object: { key } },
  })),
});

describe('the server that takes events of an object store', () => {
  let woken: string[];
  let errors: unknown[];

  async function serving(
    changes: Partial<EventServerOptions>,
    work: (post: (body: unknown, headers?: Record<string, string>) => Promise<Response>, url: string) => Promise<void>,
  ): Promise<void> {
    woken = [];
    errors = [];
    const server = eventServer({
      ...{ place: { bucket: 'b', prefix: '' }, token: null, onError: (error: unknown) => void errors.push(error) },
      wake: async (pool) => void woken.push(pool),
      ...changes,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const post = (body: unknown, headers: Record<string, string> = {}) =>
      fetch(url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
    try {
      await work(post, url);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  it('wakes the ingest of each pool once, and answers with them', () =>
    serving({}, async (post) => {
      const answer = await post(event('inbox/cars/1/_COMPLETE', 'inbox/cars/2/_COMPLETE', 'inbox/vans/1/_COMPLETE'));
      assert.deepEqual([answer.status, await answer.json()], [200, { woken: ['cars', 'vans'] }]);
      assert.deepEqual(woken, ['cars', 'vans']);
      assert.equal((await post(event('inbox/cars/1/a.jpg'))).status, 200);
      assert.equal(woken.length, 2);
    }));

  it('refuses what is no event, what is too long, and what is not sent by POST', () =>
    serving({}, async (post, url) => {
      assert.equal((await post('not JSON')).status, 400);
      assert.equal((await post({ hello: 1 })).status, 400);
      assert.equal((await post('x'.repeat(2 ** 20 + 1))).status, 413);
      assert.equal((await fetch(url, { method: 'PUT', body: '{}' })).status, 405);
      assert.equal((await fetch(url)).status, 200);
      assert.deepEqual(woken, []);
    }));

  it('asks for its token, and takes no other', () =>
    serving({ token: TOKEN }, async (post) => {
      const body = event('inbox/cars/1/_COMPLETE');
      for (const authorization of ['', TOKEN, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`])
        assert.equal((await post(body, { authorization })).status, 401, authorization);
      assert.deepEqual(woken, []);
      assert.equal((await post(body, { authorization: `Bearer ${TOKEN}` })).status, 200);
      assert.deepEqual(woken, ['cars']);
    }));

  it('has the sender try again if Temporal is away, and does not tell it why', () => {
    const fault = new PartloopError('stack-unavailable', 'no Temporal at 10.0.0.1');
    return serving({ wake: () => Promise.reject(fault) }, async (post) => {
      const answer = await post(event('inbox/cars/1/_COMPLETE'));
      assert.equal(answer.status, 503);
      assert.doesNotMatch(await answer.text(), /10\.0\.0\.1/);
      assert.deepEqual(errors, [fault]);
    });
  });

  it('needs a token where others can reach it', () => {
    for (const host of ['127.0.0.1', '127.0.1.7', '::1', 'localhost']) assertGuarded(host, null);
    assertGuarded('0.0.0.0', TOKEN);
    for (const host of ['0.0.0.0', '::', '10.1.2.3', 'example.org', '127.0.0.1.example.org'])
      assert.throws(() => assertGuarded(host, null), PartloopError, host);
  });
});
