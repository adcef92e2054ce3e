import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { imageSources, localFolder, readSource } from '../../formats/reading/imageSources.js';
import { save } from '../support/pictures/pictures.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

describe('the pictures named in an annotation file', () => {
  let folder: string;
  let images: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
    images = join(folder, 'images');
    await mkdir(images);
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** The file that each name finds, or why it finds none. */
  const found = async (names: readonly string[], followLinks = false): Promise<Record<string, string>> => {
    const source = await imageSources({ place: images, followLinks }, names);
    const results: Record<string, string> = {};
    for (const name of names) {
      const image = source(name);
      assert.equal(image.kind, 'bytes');
      results[name] =
        image.kind === 'bytes'
          ? await image.read().then(
              (bytes) => bytes.toString(),
              (error: Error) => error.message,
            )
          : '';
    }
    return results;
  };

  it('are found under the names that tools write', async () => {
    for (const name of ['sub/a b.jpg', 'Ünï ☃.jpg', 'enc oded.jpg', 'win.jpg', 'sub/win2.jpg', 'url.jpg', 'abs.jpg'])
      await save(images, name, name);
    for (const name of ['dot.jpg', 'in.jpg', 'media.jpg', '100%.jpg', 'lit%20eral.jpg']) await save(images, name, name);
    const names: Record<string, string> = {
      'sub/a b.jpg': 'sub/a b.jpg',
      'Ünï ☃.jpg': 'Ünï ☃.jpg',
      'enc%20oded.jpg': 'enc oded.jpg',
      'images\\win.jpg': 'win.jpg',
      'sub\\win2.jpg': 'sub/win2.jpg',
      'https://example.org/files/url.jpg?x=1': 'url.jpg',
      '/abs.jpg': 'abs.jpg',
      './dot.jpg': 'dot.jpg',
      'images/in.jpg': 'in.jpg',
      '..\\..\\upload\\4\\media.jpg': 'media.jpg',
      '100%.jpg': '100%.jpg',
      'lit%20eral.jpg': 'lit%20eral.jpg',
    };
    assert.deepEqual(await found(Object.keys(names)), names);
  });

  it('are never confused with the picture of another name', async () => {
    await save(images, '1.jpg', 'the one of 1.jpg');
    await save(images, '2.jpg', 'whose?');
    const results = await found(['1.jpg', 'b/1.jpg', 'x/2.jpg', 'y/2.jpg']);
    assert.equal(results['1.jpg'], 'the one of 1.jpg');
    for (const name of ['b/1.jpg', 'x/2.jpg', 'y/2.jpg']) assert.match(results[name] ?? '', /does not exist/);
  });

  it('that do not exist are reported with all places searched', async () => {
    const results = await found(['images\\gone.jpg']);
    assert.equal(
      results['images\\gone.jpg'],
      `images\\gone.jpg does not exist in ${images}, nor images/gone.jpg, gone.jpg`,
    );
  });

  it('behind links are read inside the folder, and outside it only on request', async () => {
    await save(images, 'real.jpg', 'inside');
    await save(folder, 'blobs/0a1b', 'outside');
    await symlink('real.jpg', join(images, 'in.jpg'));
    await symlink('../blobs/0a1b', join(images, 'out.jpg'));
    const guarded = await found(['in.jpg', 'out.jpg']);
    assert.equal(guarded['in.jpg'], 'inside');
    assert.match(guarded['out.jpg'] ?? '', /a link that leads out of .*--follow-links/);
    assert.deepEqual(await found(['out.jpg'], true), { 'out.jpg': 'outside' });
    const read = await localFolder(images, '--images', { followLinks: true });
    await assert.rejects(read('../blobs/0a1b'), /lies outside/);
  });

  it('with impossible names, or that are pipes or folders, are refused at once', async () => {
    execFileSync('mkfifo', [join(images, 'pipe.jpg')]);
    await mkdir(join(images, 'folder.jpg'));
    const results = await found(['pipe.jpg', 'folder.jpg', 'a\u0000b.jpg', `${'x'.repeat(900)}.jpg`, '\ud800.jpg']);
    assert.match(results['pipe.jpg'] ?? '', /is not a file/);
    assert.match(results['folder.jpg'] ?? '', /is not a file/);
    assert.match(results['a\u0000b.jpg'] ?? '', /cannot be read/);
    assert.match(results['\ud800.jpg'] ?? '', /does not exist/);
  });

  it('that a bucket forbids are refused alone, while a store that does not answer blames none', async () => {
    const faults = [
      ['setup-incomplete', 'data-invalid'],
      ['not-found', 'data-invalid'],
      ['data-changed', 'data-invalid'],
      ['store-unavailable', 'store-unavailable'],
    ] as const;
    for (const [code, expected] of faults) {
      const store = { ...memoryStore(), head: () => Promise.reject(new PartloopError(code, 'no')) };
      await assert.rejects(readSource(store, { kind: 'registered', uris: ['s3://b/x.jpg'] }), { code: expected });
    }
  });

  it('are found in a bucket by the same rules', async () => {
    const store = memoryStore();
    await store.put(`${store.uri}/photos/x.jpg`, 'x');
    const names = ['./x.jpg'];
    const source = await imageSources({ place: `${store.uri}/photos/`, followLinks: false }, names);
    const image = source('./x.jpg');
    assert.ok(image.kind === 'registered');
    assert.deepEqual(image.uris[0], `${store.uri}/photos/x.jpg`);
    assert.equal((await readSource(store, image)).bytes.toString(), 'x');
  });
});
