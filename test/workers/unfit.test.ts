import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../../infra/home.js';
import { makeTestHome, partloop, stateOf, until } from '../infra/home.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';

const doctorSchema = z.object({
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), mend: z.string().nullable() })),
});

describe('a worker on a machine with a wrong set-up', function () {
  this.timeout(150_000);
  let server: TestStore;
  let place: Awaited<ReturnType<typeof makeTestHome>>;
  let wrong: Record<string, string>;
  before(async () => {
    [server, place] = await Promise.all([startTestStore(), makeTestHome()]);
    wrong = {
      PARTLOOP_STORE: 's3://partloop/store',
      AWS_ENDPOINT_URL: server.options.endpoint,
      AWS_ACCESS_KEY_ID: server.options.credentials?.accessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: 'not-the-secret',
      PARTLOOP_WORKERS: 'scan',
    };
  });
  after(async () => {
    await partloop(place.home, wrong, 'down');
    await server?.stop();
    await place?.remove();
  });

  it('is reported by `up`, `status` and `doctor` with advice, and is not restarted at once', async () => {
    const up = await partloop(place.home, wrong, 'up', '--detach');
    assert.equal(up.code, 0, up.stderr);
    const sentence =
      /worker-scan does not run and is tried again: this scan worker cannot work: the store refuses access to doctor\/\S+ \(SignatureDoesNotMatch\)/;
    assert.match(up.stderr, sentence);
    assert.match(up.stderr, /check AWS_SECRET_ACCESS_KEY/);
    assert.ok((stateOf(place.home).processes['worker-scan']?.restarts ?? 0) <= 1);
    assert.match((await partloop(place.home, wrong, 'status')).stdout, sentence);
    const doctor = await partloop(place.home, wrong, 'doctor', '--json');
    const workers = doctorSchema.parse(JSON.parse(doctor.stdout)).checks.find(({ name }) => name === 'workers');
    assert.equal(workers?.ok, false);
    assert.match(workers?.detail ?? '', /SignatureDoesNotMatch/);
    assert.match(workers?.mend ?? '', /AWS_SECRET_ACCESS_KEY/);
  });

  it('ends with the exit code of an incomplete set-up and one sentence that names all missing parts', async () => {
    const { ports } = stateOf(place.home);
    const { code, lines } = await runWorker('train', {
      ...wrong,
      TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
      TEMPORAL_NAMESPACE: 'no-such-namespace',
      PARTLOOP_HOME: '/dev/null/home',
      PARTLOOP_PYTHON: '/no/python',
    });
    assert.equal(code, 7);
    const fatal = lines.filter(({ level }) => level >= 60);
    assert.equal(fatal.length, 1);
    const [last] = fatal;
    assert.equal(last?.code, 'setup-incomplete');
    for (const part of [
      /this train worker/,
      /SignatureDoesNotMatch/,
      /no namespace no-such-namespace/,
      /\/dev\/null\/home does not take files/,
      /no Python at \/no\/python/,
    ])
      assert.match(last?.msg ?? '', part);
  });

  it('ends if no Temporal service answers, and is soon restarted', async () => {
    const { code, lines } = await runWorker('light', { ...wrong, TEMPORAL_ADDRESS: '127.0.0.1:1' });
    assert.equal(code, 6);
    assert.match(lines.at(-1)?.msg ?? '', /no Temporal service answers at 127\.0\.0\.1:1/);
  });

  it('works as soon as its keys are right', async () => {
    await partloop(place.home, wrong, 'down');
    const right = { ...wrong, AWS_SECRET_ACCESS_KEY: server.options.credentials?.secretAccessKey ?? '' };
    const up = await partloop(place.home, right, 'up', '--detach');
    assert.equal(up.code, 0, up.stderr);
    assert.doesNotMatch(up.stderr, /does not run/);
    await until(async () => /running, asks for work/.test((await partloop(place.home, right, 'status')).stdout));
    assert.equal(stateOf(place.home).processes['worker-scan']?.restarts, 0);
  });

  const lineSchema = z.looseObject({ level: z.number(), msg: z.string(), code: z.string().optional() });

  async function runWorker(
    role: string,
    variables: Record<string, string>,
  ): Promise<{ code: number | null; lines: z.infer<typeof lineSchema>[] }> {
    const env = { ...process.env, PARTLOOP_HOME: place.home, ...variables };
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'workers', 'main.js'), '--role', role], { env });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const code = await new Promise<number | null>((done) => child.once('close', done));
    const lines = said
      .trim()
      .split('\n')
      .map((line) => lineSchema.parse(JSON.parse(line)));
    return { code, lines };
  }
});
