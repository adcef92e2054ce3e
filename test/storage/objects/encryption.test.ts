import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readVariables, type StoreEncryption } from '../../../domain/settings/variables.js';
import { loadCredentials } from '../../../infra/services/credentials.js';
import { choosePorts } from '../../../infra/services/ports.js';
import { workerEnvironment } from '../../../infra/workerEnvironment.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openStore } from '../../../storage/objects/s3.js';
import { storeAddress, storeOptions } from '../../../storage/objects/storeAddress.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
/** More than one PUT takes. */
const LARGE = 65 * 2 ** 20;
const AES: StoreEncryption = { algorithm: 'AES256', kmsKey: null };

/** Every way in which an object comes to be; the keys that are there afterwards. */
async function writeAll(store: ObjectStore, folder: string): Promise<string[]> {
  await store.put('put', 'one');
  await store.putIfAbsent('created', 'two');
  const read = await store.get('created').catch(() => ({ etag: '"0"' }));
  await store.replace('created', 'three', read.etag);
  await writeFile(join(folder, 'small'), 'four');
  await store.putFile('small', join(folder, 'small'));
  await writeFile(join(folder, 'large'), Buffer.alloc(LARGE, 'five'));
  await store.putFile('large', join(folder, 'large'));
  return ['put', 'created', 'small', 'large'];
}

describe('the encryption that a store is asked for', function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  describe('of a server that encrypts', () => {
    let server: TestStore;
    before(async () => {
      server = await startTestStore();
    });
    after(() => server?.stop());

    it('is that of each object, however it was written, and nobody notices on reading', async () => {
      const store = openStore({ ...server.options, uri: 's3://partloop/encrypted', encryption: AES });
      const keys = await writeAll(store, folder);
      const { region, endpoint, credentials } = server.options;
      const client = new S3Client({ region, endpoint, credentials, forcePathStyle: true });
      for (const key of keys) {
        const found = await client.send(new HeadObjectCommand({ Bucket: 'partloop', Key: `encrypted/${key}` }));
        assert.equal(found.ServerSideEncryption, 'AES256', key);
      }
      assert.equal(new TextDecoder().decode((await store.get('created')).body), 'three');
      assert.equal((await store.get('large')).body.byteLength, LARGE);
    });
  });

  describe('of a server that writes down what it is asked', () => {
    let server: Server;
    let says: Record<string, string>;
    let asked: { request: string; headers: IncomingHttpHeaders }[];
    before(async () => {
      server = createServer((request, answer) => {
        const [path = '', query = ''] = (request.url ?? '').split('?');
        const kind = new URLSearchParams(query);
        const isMade = request.method === 'PUT' ? !kind.has('partNumber') : kind.has('uploads');
        if (isMade) asked.push({ request: `${request.method} ${path}`, headers: request.headers });
        request.resume().once('end', () => {
          answer.setHeader('etag', '"1"');
          if (isMade) for (const [name, value] of Object.entries(says)) answer.setHeader(name, value);
          const body = kind.has('uploads')
            ? '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'
            : kind.has('uploadId') && request.method === 'POST'
              ? '<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>'
              : '';
          answer.end(body);
        });
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    beforeEach(() => {
      says = {};
      asked = [];
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    async function storeBy(encryption?: string): Promise<ObjectStore> {
      const { port } = server.address() as AddressInfo;
      const address = await storeAddress({
        PARTLOOP_STORE: 's3://partloop/store',
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
        ...(encryption === undefined ? {} : { PARTLOOP_STORE_ENCRYPTION: encryption }),
        HOME: folder,
      });
      assert.ok(address !== null);
      return openStore({ ...storeOptions(address), credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
    }
    const sent = (name: string) => asked.map(({ headers }) => headers[name]);

    it('is a key of AWS KMS in each request that makes an object', async () => {
      says = { 'x-amz-server-side-encryption': 'aws:kms' };
      await writeAll(await storeBy(`aws:kms=${KEY}`), folder);
      assert.deepEqual(
        asked.map(({ request }) => request),
        ['put', 'created', 'created', 'small']
          .map((key) => `PUT /partloop/store/${key}`)
          .concat('POST /partloop/store/large'),
      );
      assert.deepEqual(sent('x-amz-server-side-encryption'), Array(5).fill('aws:kms'));
      assert.deepEqual(sent('x-amz-server-side-encryption-aws-kms-key-id'), Array(5).fill(KEY));
    });

    it("is the store's own key of AWS KMS without a name, and the bucket's setting if unset", async () => {
      says = { 'x-amz-server-side-encryption': 'aws:kms' };
      await (await storeBy('aws:kms')).put('a', 'b');
      await (await storeBy()).put('a', 'b');
      assert.deepEqual(sent('x-amz-server-side-encryption'), ['aws:kms', undefined]);
      assert.deepEqual(sent('x-amz-server-side-encryption-aws-kms-key-id'), [undefined, undefined]);
    });

    it('is missed where the answer does not name it', async () => {
      const store = await storeBy('AES256');
      const refused = { code: 'setup-incomplete', message: /was to encrypt \S+ by AES256, and says: none/ };
      await assert.rejects(store.putFile('small', join(folder, 'small')), refused);
      await assert.rejects(store.put('a', 'b'), refused);
      await assert.rejects(store.putIfAbsent('a', 'b'), refused);
    });
  });

  it('does not concern the local store', async () => {
    const ports = await choosePorts({});
    const before = { ...process.env };
    Object.assign(process.env, { PARTLOOP_STORE_ENCRYPTION: 'AES256' });
    delete process.env.PARTLOOP_STORE;
    try {
      const environment = workerEnvironment(folder, ports, loadCredentials(folder));
      assert.equal(readVariables(environment).PARTLOOP_STORE_ENCRYPTION, undefined);
    } finally {
      process.env = before;
    }
  });
});
