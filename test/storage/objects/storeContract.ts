import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PartloopError } from '../../../domain/base/errors.js';
import type { FailureCode } from '../../../domain/base/failures/failure.js';
import type { ObjectFacts, ObjectStore, OpenUpload } from '../../../storage/objects/objectStore.js';
import { forEachLimited } from '../../../storage/parallel.js';

/** Keys that a path, a URL, XML or a shell would take for something else. */
const ODD_KEYS = [
  'a b',
  'a+b',
  'a%20b',
  'a%2Fb',
  'a#b?c=d&e',
  '<a>&"\'',
  'käfer/车/🚗',
  'a:b*c|d',
  '...',
  '~a',
  '$HOME',
  'a=b;c,d@e!(f)[g]{h}^`',
];
/** One page of a listing of S3 has at most 1,000 objects. */
const BEYOND_A_PAGE = 1_003;
const WRITERS = 8;
/** What the clocks of this machine and of a server may be apart that counts whole seconds. */
const CLOCK_MS = 1_100;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const failsWith = (code: FailureCode) => (error: unknown) => error instanceof PartloopError && error.code === code;

/**
 * Register tests of the contract of every store: `storage/objects/objectStore.ts`, as S3 keeps it.
 *
 * @param open gives a store of an empty prefix of its own; it is called within tests, once per name
 * @param beginUpload begins an upload in parts to a key of such a store that nobody ends
 */
export function storeContract(
  open: (prefix: string) => ObjectStore,
  beginUpload: (prefix: string, key: string, bytes: number) => Promise<void>,
): void {
  describe('as every store', () => {
    let store: ObjectStore;
    let folder: string;

    before(async () => {
      store = open('contract');
      folder = await mkdtemp(join(tmpdir(), 'pl-contract-'));
    });

    after(() => rm(folder, { recursive: true, force: true }));

    it('gives back what was put, whole or as a stream or a file', async () => {
      const { etag } = await store.put('a/b', 'hello');
      const read = await store.get('a/b');
      assert.deepEqual({ ...read, body: text(read.body) }, { body: 'hello', etag });
      const tried = await store.tryGet('a/b');
      assert.deepEqual([text(tried?.body ?? Buffer.of()), tried?.etag], ['hello', etag]);
      assert.equal(text(await bytesOf(store, 'a/b')), 'hello');
      await store.getFile('a/b', join(folder, 'deep', 'b'));
      assert.equal(await readFile(join(folder, 'deep', 'b'), 'utf8'), 'hello');
      assert.deepEqual(await factsOf(store, 'a/b'), { key: 'a/b', size: 5, etag, versionId: null });
    });

    it('keeps the bytes that it was given, whatever is done to them before or after', async () => {
      const bytes = Buffer.from('before');
      await store.put('copied', bytes);
      bytes.fill(0);
      const read = (await store.get('copied')).body;
      assert.equal(text(read), 'before');
      read.fill(0);
      assert.equal(text((await store.get('copied')).body), 'before');
    });

    it('keeps a part of a larger buffer as that part', async () => {
      await store.put('part', Buffer.from('0123456789').subarray(3, 6));
      assert.equal(text((await store.get('part')).body), '345');
    });

    it('says of a missing object that it is missing', async () => {
      assert.equal(await store.tryGet('nowhere'), null);
      assert.equal(await store.head('nowhere'), null);
      for (const read of [() => store.get('nowhere'), () => store.getStream('nowhere')])
        await assert.rejects(read, (error: unknown) => {
          assert.ok(failsWith('not-found')(error));
          assert.match(String(error), /there is no object nowhere in the store/);
          return true;
        });
    });

    it('leaves a local file as it was where the object is missing, and nothing beside it', async () => {
      const own = await mkdtemp(join(folder, 'kept-'));
      await writeFile(join(own, 'kept'), 'mine');
      await assert.rejects(store.getFile('nowhere', join(own, 'kept')), failsWith('not-found'));
      assert.equal(await readFile(join(own, 'kept'), 'utf8'), 'mine');
      await store.put('theirs', 'theirs');
      await store.getFile('theirs', join(own, 'kept'));
      assert.equal(await readFile(join(own, 'kept'), 'utf8'), 'theirs');
      assert.deepEqual(await readdir(own), ['kept']);
    });

    it('fetches the requested version of an object or none, and leaves the local file as it was', async () => {
      const own = await mkdtemp(join(folder, 'version-'));
      const { etag } = await store.put('version', 'first');
      await store.getFile('version', join(own, 'kept'), etag);
      await store.put('version', 'second');
      await assert.rejects(store.getFile('version', join(own, 'kept'), etag), failsWith('data-changed'));
      assert.equal(await readFile(join(own, 'kept'), 'utf8'), 'first');
      assert.deepEqual(await readdir(own), ['kept']);
    });

    it('puts a file whole or not at all', async () => {
      await writeFile(join(folder, 'whole'), 'whole');
      const { etag } = await store.putFile('file', join(folder, 'whole'));
      assert.equal((await store.head('file'))?.etag, etag);
      assert.equal(text((await store.get('file')).body), 'whole');
      await assert.rejects(store.putFile('file', join(folder, 'never was')));
      assert.equal(text((await store.get('file')).body), 'whole');
      await assert.rejects(store.putFile('no file', join(folder, 'never was')));
      assert.equal(await store.head('no file'), null);
    });

    it('holds empty objects', async () => {
      await store.put('empty', '');
      await writeFile(join(folder, 'empty'), '');
      await store.putFile('empty file', join(folder, 'empty'));
      for (const key of ['empty', 'empty file']) {
        assert.equal((await store.get(key)).body.byteLength, 0);
        assert.equal((await store.tryGet(key))?.body.byteLength, 0);
        assert.equal((await store.head(key))?.size, 0);
        assert.equal((await bytesOf(store, key)).byteLength, 0);
        await store.getFile(key, join(folder, 'emptied'));
        assert.equal((await readFile(join(folder, 'emptied'))).byteLength, 0);
      }
    });

    it('holds bytes that are no text', async () => {
      const all = Uint8Array.from({ length: 1_024 }, (_, at) => at % 256);
      await store.put('bytes', all);
      assert.deepEqual(new Uint8Array((await store.get('bytes')).body), all);
    });

    it('takes keys of odd characters as they are', async () => {
      const odd = open('odd');
      for (const key of ODD_KEYS) await odd.put(`odd/${key}`, key);
      for (const key of ODD_KEYS) {
        assert.equal(text((await odd.get(`odd/${key}`)).body), key);
        assert.equal((await odd.head(`odd/${key}`))?.key, `odd/${key}`);
      }
      const keys = ODD_KEYS.map((key) => `odd/${key}`);
      assert.deepEqual((await listed(odd, 'odd/')).sort(), keys.toSorted());
      await odd.delete(keys);
      assert.deepEqual(await listed(odd, ''), []);
    });

    it('creates an object once, however many try at the same time', async () => {
      const answers = await Promise.all(
        Array.from({ length: WRITERS }, (_, writer) => store.putIfAbsent('once', `writer ${writer}`)),
      );
      assert.equal(answers.filter((answer) => answer === 'created').length, 1);
      assert.equal(text((await store.get('once')).body), `writer ${answers.indexOf('created')}`);
      assert.equal(await store.putIfAbsent('once', 'late'), 'exists');
    });

    it('creates again what was deleted', async () => {
      assert.equal(await store.putIfAbsent('again', 'one'), 'created');
      await store.delete(['again']);
      assert.equal(await store.putIfAbsent('again', 'two'), 'created');
      assert.equal(text((await store.get('again')).body), 'two');
    });

    it('replaces nothing by something once', async () => {
      const answers = await Promise.all(
        Array.from({ length: WRITERS }, (_, writer) => store.replace('first', `writer ${writer}`, null)),
      );
      assert.equal(answers.filter((answer) => answer !== 'conflict').length, 1);
      assert.equal(await store.replace('first', 'late', null), 'conflict');
    });

    it('replaces the version that was read and no other', async () => {
      const { etag } = await store.put('pointer', 'one');
      const answers = await Promise.all(
        Array.from({ length: WRITERS }, (_, writer) => store.replace('pointer', `next ${writer}`, etag)),
      );
      const won = answers.findIndex((answer) => answer !== 'conflict');
      assert.equal(answers.filter((answer) => answer !== 'conflict').length, 1);
      const now = await store.get('pointer');
      assert.equal(text(now.body), `next ${won}`);
      assert.deepEqual(answers[won], { etag: now.etag });
      assert.equal(await store.replace('pointer', 'stale', etag), 'conflict');
      assert.notEqual(await store.replace('pointer', 'last', now.etag), 'conflict');
      assert.equal(await store.replace('never made', 'x', etag), 'conflict');
      assert.equal(await store.head('never made'), null);
    });

    it('names a version by its bytes: other bytes have another etag, the same bytes the same', async () => {
      const one = await store.put('version', 'one');
      const two = await store.put('version', 'two');
      assert.notEqual(two.etag, one.etag);
      assert.deepEqual(await store.put('version', 'one'), one);
      assert.deepEqual(await store.put('another key', 'one'), one);
      assert.match(one.etag, /^"[0-9a-f]{32}"$/);
    });

    it('reads on condition of the version that is known', async () => {
      const { etag } = await store.put('changing', 'before');
      assert.equal(text((await store.get('changing', etag)).body), 'before');
      await store.put('changing', 'after');
      await assert.rejects(store.get('changing', etag), failsWith('data-changed'));
      await assert.rejects(store.get('never there', etag), failsWith('not-found'));
    });

    it('lists what lies under a prefix in order, beyond one page, with sizes and etags', async () => {
      const many = open('many');
      const keys = Array.from({ length: BEYOND_A_PAGE }, (_, at) => `list/${String(at).padStart(4, '0')}`);
      await forEachLimited(keys.toReversed(), 32, async (key) => {
        await many.put(key, key);
      });
      const { etag } = await many.put('list/sub/deep', 'deep');
      await many.put('lists', 'beside');
      const found = [];
      for await (const facts of many.list('list/')) found.push(facts);
      assert.deepEqual(
        found.map(({ key }) => key),
        [...keys, 'list/sub/deep'],
      );
      const { modifiedAt, ...last } = found.at(-1) ?? assert.fail('nothing is listed');
      assert.deepEqual(last, { key: 'list/sub/deep', size: 4, etag, versionId: null });
      assert.deepEqual(modifiedAt, (await many.head('list/sub/deep'))?.modifiedAt);
      assert.deepEqual(await listed(many, 'list/000'), keys.slice(0, 10));
      assert.deepEqual(await listed(many, 'nothing/'), []);
      assert.equal((await listed(many, '')).length, BEYOND_A_PAGE + 2);
    });

    it('names the folders below a prefix in order', async () => {
      const own = open('folders');
      for (const key of ['p/b/1', 'p/a/1', 'p/a/deep/2', 'p/file', 'q/c/1']) await own.put(key, key);
      assert.deepEqual(await foldersOf(own, 'p/'), ['a', 'b']);
      assert.deepEqual(await foldersOf(own, ''), ['p', 'q']);
      assert.deepEqual(await foldersOf(own, 'nothing/'), []);
    });

    it('deletes what is there and passes over what is not', async () => {
      const own = open('deleted');
      for (const key of ['x/1', 'x/2', 'x/sub/3']) await own.put(key, key);
      await own.delete(['x/1', 'x/sub/3', 'x/never was']);
      assert.deepEqual(await listed(own, 'x/'), ['x/2']);
      assert.deepEqual(await own.tryDelete(['x/2', 'x/2', 'x/never was']), []);
      assert.deepEqual(await listed(own, ''), []);
      await own.delete([]);
    });

    it('tells when an object was written, and anew when it is written again', async () => {
      const own = open('written');
      const before = Date.now() - CLOCK_MS;
      await own.put('first', 'one');
      // The clocks of some servers count whole seconds.
      await sleep(CLOCK_MS);
      await own.put('second', 'two');
      const [first, second] = [await own.head('first'), await own.head('second')];
      assert.ok(first && second && before <= first.modifiedAt.getTime());
      assert.ok(first.modifiedAt < second.modifiedAt && second.modifiedAt.getTime() <= Date.now() + CLOCK_MS);
      await sleep(CLOCK_MS);
      await own.put('first', 'one');
      assert.ok(((await own.head('first'))?.modifiedAt ?? first.modifiedAt) > second.modifiedAt);
    });

    it('lists uploads in parts that nobody ended, and frees their parts', async () => {
      const own = open('uploads');
      const before = Date.now() - CLOCK_MS;
      await beginUpload('uploads', 'deep/käfer', 1_000);
      await beginUpload('uploads', 'deep/second', 2_000);
      await beginUpload('uploads', 'deeper', 3_000);
      assert.deepEqual(await listed(own, ''), [], 'they are no objects');
      const uploads = await uploadsOf(own, 'deep/');
      assert.deepEqual(uploads.map(({ key }) => key).sort(), ['deep/käfer', 'deep/second']);
      for (const { startedAt } of uploads) assert.ok(startedAt.getTime() >= before);
      const [first, second] = uploads.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      assert.ok(first && second);
      assert.deepEqual([await own.uploadedBytes(first), await own.uploadedBytes(second)], [1_000, 2_000]);
      for (const _ of ['there', 'gone']) await own.abortUpload(first);
      assert.equal(await own.uploadedBytes(first), 0);
      assert.deepEqual(await uploadsOf(own, 'deep/'), [second]);
      assert.equal((await uploadsOf(own, '')).length, 2);
    });

    it('reads its own objects by their URI, and lists them so', async () => {
      await store.put('photos/1.jpg', 'pixels');
      const uri = `${store.uri}/photos/1.jpg`;
      assert.equal(text((await store.get(uri)).body), 'pixels');
      assert.equal((await store.head(uri))?.size, 6);
      assert.deepEqual(await listed(store, `${store.uri}/photos/`), [uri]);
    });
  });
}

async function bytesOf(store: ObjectStore, key: string): Promise<Buffer> {
  return Buffer.concat(await (await store.getStream(key)).toArray());
}

async function listed(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

async function factsOf(store: ObjectStore, key: string): Promise<Omit<ObjectFacts, 'modifiedAt'> | null> {
  const { modifiedAt: _, ...facts } = (await store.head(key)) ?? assert.fail(`${key} is not there`);
  return facts;
}

async function uploadsOf(store: ObjectStore, prefix: string): Promise<OpenUpload[]> {
  const uploads = [];
  for await (const upload of store.openUploads(prefix)) uploads.push(upload);
  return uploads;
}

async function foldersOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const names = [];
  for await (const name of store.folders(prefix)) names.push(name);
  return names;
}
