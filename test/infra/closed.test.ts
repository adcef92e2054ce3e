import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { homePaths, venvBinary } from '../../infra/home.js';
import { PORT_NAMES, type PortName } from '../../infra/services/ports.js';
import { makeTestHome, partloop, processOf, stateOf } from './home.js';
import { listenersOf, listeningPorts, listeningSockets } from './listeners.js';
import { ask, csrfToken } from './web.js';

const run = promisify(execFile);
const WEB_PORTS = PORT_NAMES.filter((name) => !name.startsWith('temporal'));

describe('for web pages and callers without a key,', () => {
  let home: string;
  let remove: () => Promise<void>;

  before(async function () {
    this.timeout(90_000);
    ({ home, remove } = await makeTestHome());
    const { code, stderr } = await partloop(home, {}, 'up', '--detach');
    assert.equal(code, 0, stderr);
  });

  after(async function () {
    this.timeout(60_000);
    await partloop(home, {}, 'down', '--force');
    await remove();
  });

  describe('the local Temporal server', function () {
    this.timeout(90_000);
    const own = (): string => `127.0.0.1:${stateOf(home).ports.temporalUi}`;
    const EVIL = 'http://evil.example';
    const victim = 'a-loop';
    let client: Client;

    before(async () => {
      client = new Client({
        connection: await Connection.connect({ address: `127.0.0.1:${stateOf(home).ports.temporal}` }),
      });
      await client.workflow.start('anything', { workflowId: victim, taskQueue: 'nobody-polls' });
    });

    after(() => client.connection.close());

    const executions = '/api/v1/namespaces/default/workflows';
    const startBody = (id: string): string =>
      JSON.stringify({
        workflowId: id,
        workflowType: { name: 'startLoop' },
        taskQueue: { name: 'partloop' },
        requestId: id,
      });

    /** Every write that a page may try; paths of the HTTP API exist with and without `/api/v1`. */
    function writes(id: string): [string, string][] {
      const writes: [string, string][] = [
        [`${executions}/${id}`, startBody(id)],
        [`${executions}/${victim}/signal/stop`, '{}'],
        [`${executions}/${victim}/cancel`, '{}'],
        [`${executions}/${victim}/terminate`, '{"reason":"x"}'],
        [`${executions}/${victim}/reset`, '{"workflowTaskFinishEventId":"1","requestId":"x"}'],
        [
          '/api/v1/namespaces/default/batch-operations/x',
          '{"jobId":"x","terminationOperation":{},"visibilityQuery":"*"}',
        ],
        ['/api/v1/namespaces/default/schedules/x', '{"schedule":{},"requestId":"x"}'],
        ['/api/v1/namespaces', '{"namespace":"evil","workflowExecutionRetentionPeriod":"86400s"}'],
        ['/api/v1/nexus/endpoints', '{"spec":{"name":"evil"}}'],
      ];
      return writes.flatMap(([path, body]): [string, string][] => [
        [path, body],
        [path.replace('/api/v1', ''), body],
      ]);
    }

    async function mustBeUntouched(): Promise<void> {
      const { history } = await client.workflow
        .getHandle(victim)
        .fetchHistory()
        .then((history) => ({ history }));
      assert.equal(history.events?.length, 2, 'started, and one task scheduled');
      const count = await client.workflow.count();
      assert.equal(count.count, 1);
      const { namespaces } = await client.workflowService.listNamespaces({});
      assert.deepEqual(
        namespaces?.map(({ namespaceInfo }) => namespaceInfo?.name).filter((name) => name?.startsWith('evil')),
        [],
      );
    }

    /** Requests that a page of another site can send without a preflight: simple requests and forms. */
    const simple: [string, Record<string, string>][] = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ].map((type) => [
      type,
      { 'content-type': type, origin: EVIL, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    ]);

    const variants: Record<string, string>[] = [
      {},
      { authorization: 'Basic eDp5' },
      { 'x-http-method-override': 'GET' },
    ];

    it('takes no write from a page of another site, at its Web UI or its HTTP API', async () => {
      const { temporalUi, temporalHttp } = stateOf(home).ports;
      for (const port of [temporalUi, temporalHttp]) {
        const host = `127.0.0.1:${port}`;
        for (const [type, headers] of simple) {
          for (const [path, body] of writes(`evil-${type}`)) {
            for (const more of variants) {
              const { status } = await ask(port, 'POST', path, { ...headers, ...more, host }, body);
              assert.ok(status >= 400, `${port === temporalUi ? 'UI' : 'HTTP'} ${type} ${path}: ${status}`);
            }
          }
        }
        const preflight = await ask(port, 'OPTIONS', executions, {
          host,
          origin: EVIL,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-csrf-token,content-type',
        });
        assert.equal(preflight.headers['access-control-allow-origin'], undefined);
      }
      await mustBeUntouched();
    });

    it('neither reads nor writes under a name that somebody pointed at this machine', async () => {
      const { temporal, temporalUi, temporalHttp } = stateOf(home).ports;
      const token = csrfToken(await ask(temporalUi, 'GET', '/', { host: own() }));
      for (const port of [temporalUi, temporalHttp]) {
        for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '0.0.0.0', '']) {
          const page = { host, origin: `http://${host}`, cookie: `_csrf=${token}`, 'x-csrf-token': token };
          for (const path of ['/', '/api/v1/namespaces', executions, `${executions}/${victim}/history`]) {
            const { status, body } = await ask(port, 'GET', path, page);
            assert.ok(status >= 400, `${host} ${path}: ${status}`);
            assert.ok(!body.includes(victim), path);
          }
          for (const [path, body] of writes('evil-rebound')) {
            const { status } = await ask(port, 'POST', path, page, body);
            assert.ok(status >= 400, `${host} ${path}: ${status}`);
          }
        }
      }
      for (const [path, body] of writes('evil-http')) {
        const { status } = await ask(temporalHttp, 'POST', path, { host: `127.0.0.1:${temporalHttp}` }, body);
        assert.ok(status >= 400, path);
      }
      await assert.rejects(
        ask(temporal, 'POST', executions, { host: `127.0.0.1:${temporal}` }, '{}'),
        'gRPC is no HTTP/1',
      );
      await mustBeUntouched();
    });

    it('serves the pages of its own Web UI, links to them, and their writes', async () => {
      const { temporalUi } = stateOf(home).ports;
      const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
      const page = await ask(temporalUi, 'GET', '/namespaces/default/workflows', { host: own(), ...link });
      assert.equal(page.status, 200);
      const script = page.body.match(/"(\/_app\/[^"]+\.js)"/)?.[1];
      assert.ok(script);
      assert.match((await ask(temporalUi, 'GET', script, { host: own() })).headers['content-type'] ?? '', /javascript/);
      assert.match((await ask(temporalUi, 'GET', executions, { host: own() })).body, new RegExp(victim));

      const token = csrfToken(page);
      const host = `localhost:${temporalUi}`;
      const headers = { host, origin: `http://${host}`, cookie: `_csrf=${token}` };
      const start = (more: Record<string, string>): Promise<{ status: number }> =>
        ask(temporalUi, 'POST', `${executions}/own`, { ...headers, ...more }, startBody('own'));
      assert.equal((await start({})).status, 400, 'a write without the token');
      assert.equal(
        (await start({ authorization: 'Bearer x' })).status,
        400,
        'a header that would switch the token off',
      );
      assert.equal((await start({ 'x-csrf-token': token })).status, 200);
      await client.workflow.getHandle('own').terminate();
    });

    it('has its own Web UI at an address that a page cannot guess', function () {
      const listening = listenersOf(processOf(home, 'temporal').pid);
      if (listening === null) return this.skip();
      const { temporal, temporalHttp, temporalMetrics } = stateOf(home).ports;
      const ofOthers = listening.filter(({ port }) => ![temporal, temporalHttp, temporalMetrics].includes(port));
      const hidden = ofOthers.filter(({ address }) => address !== '0100007F');
      assert.equal(hidden.length, 1, 'the Web UI');
      for (const { address } of listening) assert.match(address, /7F$/);
      assert.notEqual(hidden[0]?.port, stateOf(home).ports.temporalUi);
    });
  });

  describe('the local S3 server', function () {
    this.timeout(90_000);

    it('takes no write without a signature on any port, by any interface of its parts', async () => {
      for (const name of WEB_PORTS) {
        const base = `http://127.0.0.1:${stateOf(home).ports[name]}`;
        const form = (): FormData => {
          const data = new FormData();
          data.set('file', new Blob(['x']), 'x.txt');
          return data;
        };
        const tries: [string, RequestInit][] = [
          ['/partloop/evil', { method: 'PUT', body: 'x' }],
          ['/evil', { method: 'PUT', body: 'x' }],
          ['/buckets/partloop/evil', { method: 'PUT', body: 'x' }],
          ['/buckets/partloop/evil', { method: 'POST', body: form() }],
          ['/submit', { method: 'POST', body: form() }],
          ['/1,0123456789', { method: 'POST', body: form() }],
          ['/partloop', { method: 'DELETE' }],
          ['/buckets/partloop', { method: 'DELETE' }],
          ['/dir/assign', { method: 'POST' }],
          ['/col/delete?collection=partloop', { method: 'POST' }],
        ];
        for (const [path, init] of tries)
          assert.equal(await isTaken(base + path, init), false, `${name}: ${init.method} ${path}`);
      }
    });

    it('shows and gives nothing to a page of another site or under another name, on any port', async () => {
      for (const name of WEB_PORTS.filter((name) => !name.endsWith('Grpc'))) {
        const port = stateOf(home).ports[name];
        for (const host of ['evil.example', `127.0.0.1:${port}`]) {
          const page = { host, origin: 'http://evil.example', 'content-type': 'text/plain' };
          for (const path of [
            '/partloop',
            '/partloop/store',
            '/buckets/partloop/',
            '/?list-type=2',
            '/partloop?list-type=2',
          ]) {
            const { status, body } = await ask(port, 'GET', path, page);
            assert.ok(status >= 400 || !/<Contents>|<Bucket>|"Entries"/.test(body), `${name} GET ${path}: ${status}`);
          }
          for (const path of [
            '/partloop/evil',
            '/buckets/partloop/evil',
            '/submit',
            '/dir/assign',
            '/cluster/raft/add',
          ]) {
            const { status } = await ask(port, 'POST', path, page, 'x');
            assert.ok(status >= 400, `${name} POST ${path}: ${status}`);
          }
        }
      }
    });

    it('shows its objects to nobody without a signature', async () => {
      const { s3, filer } = stateOf(home).ports;
      for (const url of [`http://127.0.0.1:${s3}/partloop`, `http://127.0.0.1:${filer}/buckets/partloop/`]) {
        assert.equal(await isTaken(url, { method: 'GET' }), false, url);
      }
    });

    it('answers no gRPC call without its certificate', async () => {
      const { master, masterGrpc, filer, filerGrpc } = stateOf(home).ports;
      const servers = [`-master=127.0.0.1:${master}.${masterGrpc}`, `-filer=127.0.0.1:${filer}.${filerGrpc}`];
      const listed = async (config: string): Promise<string> => {
        const shell = run(venvBinary('weed'), [`-config_dir=${config}`, 'shell', ...servers], {
          timeout: 4000,
          cwd: home,
        });
        shell.child.stdin?.end('fs.ls /buckets\nexit\n');
        return shell.then(
          ({ stdout }) => stdout,
          (error: { stdout?: string }) => error.stdout ?? '',
        );
      };
      assert.match(await listed(join(homePaths(home).seaweed, 'config')), /partloop/);
      assert.doesNotMatch(await listed(homePaths(home).logs), /partloop/);
    });

    it('listens on 127.0.0.1 alone', function () {
      const listening = listeningSockets(processOf(home, 's3').pid);
      if (listening === null) return this.skip();
      assert.ok(listening.length > 0);
      for (const address of listening) assert.equal(address, '0100007F');
      const known = new Set<number>(WEB_PORTS.map((name: PortName) => stateOf(home).ports[name]));
      for (const port of listeningPorts(processOf(home, 's3').pid))
        assert.ok(known.has(port), `port ${port} is not one of ours`);
    });
  });
});

/** Whether the server obeyed: any answer of the 200s. No answer, or not HTTP, is a refusal. */
async function isTaken(url: string, init: RequestInit): Promise<boolean> {
  try {
    const answer = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(5000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
