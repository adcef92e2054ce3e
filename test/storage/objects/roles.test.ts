import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkStoreWrites } from '../../../storage/objects/storeCheck.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';

/** Variables by which the AWS SDK would find other keys. */
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'];
const ROLE = 'arn:aws:iam::111122223333:role/partloop';
const LATER = '2100-01-01T00:00:00Z';

describe('a store without keys in the environment', function () {
  this.timeout(60_000);
  let server: TestStore;
  let folder: string;
  let giver: Server;
  let asked: string[];
  const saved = { ...process.env };
  before(async () => {
    server = await startTestStore();
    folder = await mkdtemp(join(tmpdir(), 'pl-roles-'));
    await writeFile(join(folder, 'none'), '');
    await writeFile(join(folder, 'token'), 'the-token-of-a-service-account');
    giver = createServer((request, answer) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.once('end', () => {
        asked.push(`${request.method} ${request.url} ${body}`);
        const { accessKeyId, secretAccessKey } = server.options.credentials;
        answer.end(
          request.method === 'GET'
            ? JSON.stringify({
                AccessKeyId: accessKeyId,
                SecretAccessKey: secretAccessKey,
                Token: '',
                Expiration: LATER,
              })
            : `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken></SessionToken><Expiration>${LATER}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
        );
      });
    }).listen(0, '127.0.0.1');
    await once(giver, 'listening');
  });
  beforeEach(() => {
    asked = [];
    for (const name of KEYS) delete process.env[name];
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) process.env[name] = join(folder, 'none');
  });
  afterEach(() => {
    process.env = { ...saved };
  });
  after(async () => {
    giver?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const address = () => `http://127.0.0.1:${(giver.address() as AddressInfo).port}`;
  const check = () => {
    const { region, endpoint } = server.options;
    return checkStoreWrites({ region, endpoint, uri: 's3://partloop/roles' });
  };

  it('takes those of the container that it runs in', async () => {
    process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `${address()}/v1/credentials`;
    await check();
    assert.deepEqual([...new Set(asked)], ['GET /v1/credentials ']);
  });

  it("takes those of its Kubernetes service account's role", async () => {
    process.env.AWS_ROLE_ARN = ROLE;
    process.env.AWS_WEB_IDENTITY_TOKEN_FILE = join(folder, 'token');
    process.env.AWS_ENDPOINT_URL_STS = address();
    process.env.AWS_REGION = 'us-east-1';
    await check();
    assert.match(asked[0] ?? '', /AssumeRoleWithWebIdentity.*the-token-of-a-service-account/);
  });

  it('says what to set where there are none', async () => {
    process.env.AWS_EC2_METADATA_DISABLED = 'true';
    await assert.rejects(check(), { code: 'setup-incomplete', message: /there are no AWS credentials/ });
  });
});
