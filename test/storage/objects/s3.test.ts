import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { PartloopError } from '../../../domain/base/errors.js';
import type { FailureCode } from '../../../domain/base/failures/failure.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { parseStoreUri } from '../../../storage/objects/s3/bucket.js';
import { openStore } from '../../../storage/objects/s3.js';
import { forEachLimited } from '../../../storage/parallel.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { storeContract } from './storeContract.js';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const failsWith = (code: FailureCode) => (error: unknown) => error instanceof PartloopError && error.code === code;

describe('the S3 store', function () {
  this.timeout(120_000);
  let server: TestStore;
  let store: ObjectStore;
  let folder: string;

  before(async () => {
    server = await startTestStore();
    store = server.open('store');
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });

  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  storeContract(
    (prefix) => server.open(prefix),
    async (prefix, key, bytes) => {
      const client = new S3Client({ ...server.options, forcePathStyle: true });
      const place = { Bucket: 'partloop', Key: `${prefix}/${key}` };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
      await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: randomBytes(bytes) }));
      client.destroy();
    },
  );

  it('names the folders below a prefix, even if they fill more than one page', async () => {
    const names = Array.from({ length: 1_003 }, (_, number) => `f${String(number).padStart(4, '0')}`);
    await forEachLimited(names, 32, async (name) => {
      await store.put(`many/${name}/deep/object`, 'x');
    });
    await store.put('many/file', 'x');
    const found: string[] = [];
    for await (const name of store.folders('many/')) found.push(name);
    assert.deepEqual(found.sort(), names);
  });

  it('reads an object elsewhere by its URI', async () => {
    await server.open('elsewhere').put('photos/1.jpg', 'pixels');
    const uri = 's3://partloop/elsewhere/photos/1.jpg';
    assert.equal(text((await store.get(uri)).body), 'pixels');
    assert.equal((await store.head(uri))?.size, 6);
    const listed = [];
    for await (const { key } of store.list('s3://partloop/elsewhere/')) listed.push(key);
    assert.deepEqual(listed, [uri]);
  });

  it('uploads a file too large for one request in parts', async () => {
    const bytes = randomBytes(70 * 2 ** 20);
    const path = join(folder, 'large');
    await writeFile(path, bytes);
    await store.putFile('large', path);
    await store.getFile('large', join(folder, 'large again'));
    assert.ok(bytes.equals(await readFile(join(folder, 'large again'))));
  });

  it('sends an empty file without a warning of the SDK', async () => {
    const path = join(folder, 'nothing');
    await writeFile(path, '');
    const [told, warn] = [[] as unknown[], console.warn];
    console.warn = (...words: unknown[]) => void told.push(...words);
    try {
      await store.putFile('nothing', path);
      await store.put('nothing', '');
      await store.putIfAbsent('nothing at all', '');
    } finally {
      console.warn = warn;
    }
    assert.deepEqual(told, []);
    assert.equal((await store.head('nothing'))?.size, 0);
  });

  it('recognises its own conditional write if the answer was lost on the way', async () => {
    const proxy = await startLossyProxy(server.options.endpoint, 'PUT');
    try {
      const behind = openStore({ ...server.options, endpoint: proxy.endpoint, uri: 's3://partloop/store' });
      assert.equal(await behind.putIfAbsent('lost answer', 'mine'), 'created');
      assert.equal(proxy.lost(), 1);
      assert.equal(await behind.putIfAbsent('lost answer', 'again'), 'exists');
      assert.equal(text((await store.get('lost answer')).body), 'mine');
    } finally {
      proxy.close();
    }
  });

  it('gives up on a server that accepts and never answers', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((done) => silent.once('listening', done));
    const endpoint = `http://127.0.0.1:${portOf(silent)}`;
    try {
      const stalled = openStore({ ...server.options, endpoint, uri: 's3://partloop/store', timeoutMs: 50 });
      await assert.rejects(stalled.get('anything'), failsWith('store-unavailable'));
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it('reports wrong credentials and a missing bucket as matters of set-up', async () => {
    const credentials = { accessKeyId: 'nobody', secretAccessKey: 'nothing' };
    const stranger = openStore({ ...server.options, credentials, uri: 's3://partloop/store' });
    await assert.rejects(stranger.get('a/b'), failsWith('setup-incomplete'));
    const nowhere = openStore({ ...server.options, uri: 's3://no-such-bucket/store' });
    await assert.rejects(nowhere.get('a/b'), failsWith('setup-incomplete'));
  });
});

describe('the URI of a store', () => {
  it('is a bucket with or without a prefix', () => {
    assert.deepEqual(parseStoreUri('s3://cars'), { bucket: 'cars', prefix: '' });
    assert.deepEqual(parseStoreUri('s3://cars/a/b/'), { bucket: 'cars', prefix: 'a/b/' });
  });

  it('is refused in any other form', () => {
    for (const uri of ['cars', 'https://cars/a', 's3://', 's3://Cars']) {
      assert.throws(() => parseStoreUri(uri), failsWith('config-invalid'), uri);
    }
  });
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** A proxy that passes the first request of a kind on and breaks the connection instead of answering it. */
async function startLossyProxy(
  endpoint: string,
  method: string,
): Promise<{ endpoint: string; lost(): number; close(): void }> {
  let lost = 0;
  const target = new URL(endpoint);
  const proxy = createServer((incoming, outgoing) => {
    const { url, headers } = incoming;
    const options = { host: target.hostname, port: target.port, method: incoming.method, path: url, headers };
    const onward = httpRequest(options, (answer) => {
      if (incoming.method === method && lost === 0) {
        lost += 1;
        answer.resume().once('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  }).listen(0, '127.0.0.1');
  await new Promise((done) => proxy.once('listening', done));
  return {
    endpoint: `http://127.0.0.1:${portOf(proxy)}`,
    lost: () => lost,
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
