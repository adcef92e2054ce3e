import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusal } from '../../infra/ui/browserRequest.js';
import { uiGate } from '../../infra/ui/uiGate.js';
import { ask } from './web.js';

describe('a browser request', () => {
  const own = { host: '127.0.0.1:8233' };

  it('is accepted from programs, from our own pages and from a link in any page', () => {
    assert.equal(refusal('POST', own), null);
    for (const host of ['127.0.0.1:8233', 'localhost:9000', '[::1]:8233', 'LOCALHOST']) {
      assert.equal(refusal('POST', { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }), null, host);
    }
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    assert.equal(refusal('GET', { ...own, ...link }), null);
  });

  it('is refused under any other host name, also one that only begins or ends like ours', () => {
    const foreign = [
      'evil.example',
      'evil.example:8233',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      'xlocalhost',
    ];
    for (const host of [...foreign, '127.0.0.2', '', 'localhost:80:80', '127.0.0.1@evil.example', 'localhost.']) {
      assert.notEqual(refusal('GET', { host }), null, host);
    }
    assert.notEqual(refusal('GET', {}), null);
  });

  it('is refused from another origin, a sandboxed page and another port of this machine', () => {
    for (const origin of [
      'http://evil.example',
      'null',
      'http://127.0.0.1:9999',
      'https://127.0.0.1:8233',
      'file://',
    ]) {
      assert.notEqual(refusal('POST', { ...own, origin }), null, origin);
      assert.notEqual(refusal('GET', { ...own, origin }), null, origin);
    }
  });

  it('is refused from another page that frames us, loads us as a script or sends a form', () => {
    for (const site of ['cross-site', 'same-site']) {
      const frame = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' };
      const script = { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' };
      const form = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
      assert.notEqual(refusal('GET', { ...own, ...frame }), null);
      assert.notEqual(refusal('GET', { ...own, ...script }), null);
      assert.notEqual(refusal('POST', { ...own, ...form }), null);
    }
  });
});

describe('the gate before the Web UI', () => {
  it('passes bodies and answers on, without Authorization and the headers of the connection', async () => {
    const seen: { method: string | undefined; url: string | undefined; headers: string[]; body: string }[] = [];
    const ui = createServer(async (asked, answer) => {
      let body = '';
      for await (const chunk of asked) body += chunk;
      seen.push({ method: asked.method, url: asked.url, headers: Object.keys(asked.headers), body });
      answer.writeHead(418, { 'x-own': 'kept', 'set-cookie': ['a=1', 'b=2'] });
      answer.end('answer');
    });
    await new Promise<void>((done) => ui.listen(0, '127.0.0.1', done));
    const gate = uiGate({ host: '127.0.0.1', port: portOf(ui.address()) });
    await new Promise<void>((done) => gate.listen(0, '127.0.0.1', done));
    const port = portOf(gate.address());
    try {
      const headers = {
        host: `localhost:${port}`,
        authorization: 'Basic eDp5',
        upgrade: 'websocket',
        'x-csrf-token': 't',
      };
      const { status, body, headers: got } = await ask(port, 'POST', '/api?x=1', headers, 'a body');
      assert.equal(status, 418);
      assert.equal(body, 'answer');
      assert.deepEqual(got['set-cookie'], ['a=1', 'b=2']);
      assert.equal(got['x-own'], 'kept');
      assert.equal(seen.length, 1);
      assert.deepEqual([seen[0]?.method, seen[0]?.url, seen[0]?.body], ['POST', '/api?x=1', 'a body']);
      for (const name of ['authorization', 'upgrade']) assert.ok(!seen[0]?.headers.includes(name), name);
      assert.ok(seen[0]?.headers.includes('x-csrf-token'));

      assert.equal((await ask(port, 'GET', 'http://127.0.0.1/', { host: 'localhost' })).status, 403);
      assert.equal((await ask(port, 'GET', '/', { host: 'evil.example' })).status, 403);
      assert.equal(seen.length, 1);
    } finally {
      ui.close();
      ui.closeAllConnections();
    }
    const { status, body } = await ask(port, 'GET', '/', { host: `localhost:${port}` });
    assert.equal(status, 502);
    assert.match(body, /partloop status/);
    gate.close();
    gate.closeAllConnections();
  });
});

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
