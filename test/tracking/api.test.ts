import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { z } from 'zod';
import { mlflowAddress } from '../../tracking/mlflow/address.js';
import { MlflowApi, MlflowError } from '../../tracking/mlflow/api.js';

type Answer = { status: number; body: string; location?: string } | 'silence';

/** A server with faults that a real one has only on bad days: answers in turn, the last one again and again. */
class FaultyServer {
  readonly asked: Pick<IncomingMessage, 'url' | 'headers'>[] = [];
  answers: Answer[] = [];
  uri = '';
  readonly #server: Server = createServer((request, response) => {
    this.asked.push({ url: request.url ?? '', headers: request.headers });
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (answer === undefined || answer === 'silence') return;
    response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location });
    response.end(answer.body);
  });

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    this.uri = `http://127.0.0.1:${z.object({ port: z.number() }).parse(this.#server.address()).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

describe('a request to MLflow', () => {
  const server = new FaultyServer();
  const schema = z.object({ id: z.string() });
  before(() => server.start());
  after(() => server.stop());
  beforeEach(() => {
    server.asked.length = 0;
  });

  const ask = (signal = AbortSignal.timeout(30_000)): Promise<{ id: string }> =>
    new MlflowApi({ uri: server.uri, authorization: 'Bearer secret-token' }, signal).post('runs/create', {}, schema);
  const good = { status: 200, body: '{"id":"1"}' };

  it('is made again after an answer that passes, and not after a refusal', async () => {
    server.answers = [{ status: 503, body: 'starting' }, { status: 429, body: '' }, good];
    assert.deepEqual(await ask(), { id: '1' });
    assert.equal(server.asked.length, 3);
    server.asked.length = 0;
    server.answers = [{ status: 400, body: '{"error_code":"INVALID_PARAMETER_VALUE","message":"no\\nsuch run"}' }];
    await assert.rejects(ask(), (error) => {
      assert.ok(error instanceof MlflowError);
      assert.equal(error.code, 'INVALID_PARAMETER_VALUE');
      assert.match(error.message, /runs\/create\): status 400, INVALID_PARAMETER_VALUE: no\. such run$/);
      return true;
    });
    assert.equal(server.asked.length, 1);
  });

  it('ends in time where nobody answers', async () => {
    server.answers = ['silence'];
    await assert.rejects(ask(AbortSignal.timeout(300)), /no answer in time/);
  });

  it('fails in words where the answer is not one of MLflow, is another server, or never ends', async () => {
    server.answers = [{ status: 200, body: '<html>a login page</html>' }];
    await assert.rejects(ask(), /its answer is not one of MLflow/);
    server.answers = [{ status: 302, body: '', location: 'http://127.0.0.1:9/' }];
    await assert.rejects(ask(), /fetch failed/);
    server.answers = [{ status: 200, body: `"${'x'.repeat(5 * 2 ** 20)}"` }];
    await assert.rejects(ask(), /its answer has more than 4194304 bytes/);
  });

  it('shows its credentials to the server, and to nobody who reads the error', async () => {
    server.answers = [{ status: 401, body: 'Unauthorized' }];
    await assert.rejects(ask(), (error) => {
      assert.ok(error instanceof MlflowError);
      assert.match(error.message, /status 401, Unauthorized/);
      assert.doesNotMatch(error.message, /secret-token/);
      return true;
    });
    assert.equal(server.asked[0]?.headers.authorization, 'Bearer secret-token');
  });
});

describe('the address of MLflow', () => {
  const settings = (uri: string | null) => ({ enabled: true, uri, experiment: 'partloop' });
  const own = { MLFLOW_TRACKING_URI: 'https://ml.example/base/' };

  it('is that of the settings, else that of the environment', () => {
    assert.equal(mlflowAddress(settings(null), own).uri, 'https://ml.example/base');
    assert.equal(mlflowAddress(settings('http://127.0.0.1:5000'), own).uri, 'http://127.0.0.1:5000');
    for (const MLFLOW_TRACKING_URI of [undefined, '', 'databricks', 'file:///mlruns'])
      assert.throws(() => mlflowAddress(settings(null), { MLFLOW_TRACKING_URI }), /no MLflow server is named/);
  });

  it('gets credentials of the environment only if it is the server that the environment names', () => {
    const token = { ...own, MLFLOW_TRACKING_TOKEN: 'secret' };
    assert.equal(mlflowAddress(settings(null), token).authorization, 'Bearer secret');
    assert.equal(mlflowAddress(settings('https://ml.example/other'), token).authorization, 'Bearer secret');
    assert.equal(mlflowAddress(settings('https://elsewhere.example'), token).authorization, null);
    assert.equal(mlflowAddress(settings('http://ml.example'), token).authorization, null);
    assert.equal(
      mlflowAddress(settings('https://ml.example'), { MLFLOW_TRACKING_TOKEN: 'secret' }).authorization,
      null,
    );
  });

  it('takes user and password from the variables or the address of the environment, and keeps them out of sight', () => {
    const basic = `Basic ${Buffer.from('ann:pass word').toString('base64')}`;
    const named = { ...own, MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: 'pass word' };
    assert.equal(mlflowAddress(settings(null), named).authorization, basic);
    const inside = mlflowAddress(settings(null), { MLFLOW_TRACKING_URI: 'https://ann:pass%20word@ml.example' });
    assert.deepEqual(inside, { uri: 'https://ml.example', authorization: basic });
  });
});
