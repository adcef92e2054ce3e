import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { PartloopError } from '../../../domain/base/errors.js';
import { CheckpointChain } from '../../../training/checkpoints/checkpointChain.js';
import { CheckpointUploader, logOf, sidecarOf } from '../../../training/checkpoints/checkpointUploader.js';
import { type MemoryStore, memoryStore } from '../../support/standIns/memoryStore.js';
import { attended } from '../attended.js';

const KEY = 'run/latest.json';

describe('the upload of a checkpoint by an attempt that lost its lease', () => {
  let folder: string;
  let store: MemoryStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-upload-'));
    store = memoryStore();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('sends nothing if the lease was lost before', async () => {
    const old = await claim('old');
    await claim('young');
    assert.deepEqual(await upload(old), { fenced: true, files: [] });
  });

  it('is taken back if the lease was lost meanwhile', async () => {
    const old = await claim('old');
    store.beforeWrite = async (key) => {
      if (!key.endsWith('.pt')) return;
      store.beforeWrite = () => undefined;
      await claim('young');
    };
    assert.deepEqual(await upload(old), { fenced: true, files: [] });
  });

  it('stays if the new holder goes on from it, since only the answer was lost', async () => {
    const old = await claim('old');
    const { replace } = store;
    let writes = 0;
    store.replace = async (key, body, etag) => {
      // The second one makes it the newest; the network takes the answer, and the retry finds another holder.
      if (++writes !== 2) return replace.call(store, key, body, etag);
      await replace.call(store, key, body, etag);
      await claim('young');
      return 'conflict';
    };
    assert.deepEqual(await upload(old), {
      fenced: true,
      files: ['old/checkpoints/00000010.log.jsonl', 'old/checkpoints/00000010.pt'],
    });
  });

  const claim = (attempt: string): Promise<CheckpointChain> =>
    CheckpointChain.claim(store, KEY, { attempt, ...attended() });

  /** Upload one checkpoint: whether the loss was reported, and the objects in the store afterwards. */
  async function upload(chain: CheckpointChain): Promise<{ fenced: boolean; files: string[] }> {
    const path = join(folder, '00000010.pt');
    await writeFile(path, 'weights');
    await writeFile(sidecarOf(path), '{}');
    await writeFile(logOf(path), '');
    const told: PartloopError[] = [];
    const keyOf = (file: string): string => `old/${file}`;
    const { pin } = attended();
    const uploader = new CheckpointUploader(store, chain, pin, keyOf, pino({ level: 'silent' }), (error) =>
      told.push(error),
    );
    uploader.offer({ iteration: 10, path, sha256: 'a'.repeat(64) });
    await uploader.drain();
    return { fenced: told[0]?.code === 'fenced', files: store.keys.filter((key) => key !== KEY).sort() };
  }
});
