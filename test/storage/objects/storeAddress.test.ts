import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeAddress, storeOptions } from '../../../storage/objects/storeAddress.js';
import { storeFromEnvironment } from '../../../workers/connections.js';

const A = 'http://127.0.0.1:9001';
const B = 'http://127.0.0.1:9002';
const OFF = { AWS_EC2_METADATA_DISABLED: 'true' };

describe('the address of a store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pl-aws-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** An environment without any other variable, whose configuration file holds `config`. */
  function environment(variables: Record<string, string>, config = '', credentials = ''): Record<string, string> {
    writeFileSync(join(folder, 'config'), config);
    writeFileSync(join(folder, 'credentials'), credentials);
    return {
      PARTLOOP_STORE: 's3://bucket/prefix',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      ...OFF,
      ...variables,
    };
  }
  const profile = `[default]\nregion = eu-west-1\nendpoint_url = ${A}\n[profile other]\nregion = eu-north-1\n`;
  const services = `[default]\nservices = local\nendpoint_url = ${A}\n[services local]\ns3 =\n  endpoint_url = ${B}\n`;

  const cases: [name: string, env: Record<string, string>, endpoint: string | null, region: string][] = [
    ['nothing: AWS, in the usual region', environment({}), null, 'us-east-1'],
    ['AWS_ENDPOINT_URL', environment({ AWS_ENDPOINT_URL: A }), A, 'us-east-1'],
    ['both variables: the one of S3', environment({ AWS_ENDPOINT_URL: A, AWS_ENDPOINT_URL_S3: B }), B, 'us-east-1'],
    ['AWS_DEFAULT_REGION', environment({ AWS_DEFAULT_REGION: 'ap-east-1' }), null, 'ap-east-1'],
    [
      'both regions: AWS_REGION',
      environment({ AWS_REGION: 'eu-south-1', AWS_DEFAULT_REGION: 'ap-east-1' }),
      null,
      'eu-south-1',
    ],
  ];
  for (const [name, env, endpoint, region] of cases) {
    it(`comes from ${name}`, async () => {
      writeFileSync(join(folder, 'config'), '');
      assert.deepEqual(await storeAddress(env), { uri: 's3://bucket/prefix', endpoint, region, encryption: null });
    });
  }

  it('comes from the profile in use', async () => {
    const common = { uri: 's3://bucket/prefix', encryption: null };
    assert.deepEqual(await storeAddress(environment({}, profile)), { ...common, endpoint: A, region: 'eu-west-1' });
    assert.deepEqual(await storeAddress(environment({ AWS_PROFILE: 'other' }, profile)), {
      ...{ ...common, endpoint: null, region: 'eu-north-1' },
    });
    assert.deepEqual(await storeAddress(environment({}, '', '[default]\nregion = sa-east-1\n')), {
      ...{ ...common, endpoint: null, region: 'sa-east-1' },
    });
  });

  it('comes from the variables if the profile says otherwise', async () => {
    const both = environment({ AWS_ENDPOINT_URL: B, AWS_REGION: 'us-west-2' }, profile);
    const found = { uri: 's3://bucket/prefix', endpoint: B, region: 'us-west-2', encryption: null };
    assert.deepEqual(await storeAddress(both), found);
  });

  it('comes from the services of the profile before the profile itself', async () => {
    assert.equal((await storeAddress(environment({}, services)))?.endpoint, B);
  });

  it('is AWS if the settings say to ignore configured endpoints', async () => {
    const ignored = { AWS_ENDPOINT_URL: A, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
    assert.equal((await storeAddress(environment(ignored, services)))?.endpoint, null);
  });

  it('is refused with the name of the profile if it is no address there', async () => {
    const wrong = environment({}, '[default]\nendpoint_url = minio\n');
    await assert.rejects(storeAddress(wrong), { code: 'config-invalid', message: /profile `default`.*minio/ });
  });

  it('is empty if no store is named', async () => {
    assert.equal(await storeAddress({ ...OFF, AWS_ENDPOINT_URL: A }), null);
  });

  it('has the region of the instance that it runs on, only for AWS', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (request.method === 'PUT') response.end('token');
      else response.end(request.headers['x-aws-ec2-metadata-token'] === 'token' ? 'eu-central-1' : 'none');
    }).listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const { port } = server.address() as AddressInfo;
    const here = { AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` };
    try {
      assert.equal((await storeAddress(environment(here)))?.region, 'eu-central-1');
      assert.equal(asked.length, 2);
      assert.equal((await storeAddress(environment({ ...here, AWS_ENDPOINT_URL: A })))?.region, 'us-east-1');
      assert.equal((await storeAddress(environment(here, '[default]\nregion = eu-west-1\n')))?.region, 'eu-west-1');
      assert.equal(asked.length, 2);
    } finally {
      server.close();
    }
    assert.equal((await storeAddress(environment(here)))?.region, 'us-east-1');
  });

  it('is the same for workers and commands', async () => {
    for (const [variables, config] of [
      [{}, profile],
      [{}, services],
      [{ PARTLOOP_STORE_ENCRYPTION: 'aws:kms=alias/cars' }, ''],
      [{ AWS_ENDPOINT_URL: B, AWS_DEFAULT_REGION: 'eu-west-3' }, profile],
    ] as const) {
      const env = environment(variables, config);
      const address = await storeAddress(env);
      assert.ok(address !== null);
      assert.deepEqual(await storeFromEnvironment(env), storeOptions(address));
    }
  });
});
