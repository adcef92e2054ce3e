import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { WorkDir } from '../../../training/checkpoints/workDir.js';
import { type MemoryStore, memoryStore } from '../../support/standIns/memoryStore.js';

const DIGEST = 'e'.repeat(64);
const log = pino({ level: 'silent' });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('the work folder of a training attempt', () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-work-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  async function leftBehind(attempt: string, iteration: number, torn = false): Promise<void> {
    const folder = join(home, 'work', DIGEST.slice(0, 32), attempt, 'checkpoints');
    const name = String(iteration).padStart(8, '0');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${name}.pt`), torn ? 'torn' : `weights ${iteration}`);
    await writeFile(
      join(folder, `${name}.json`),
      JSON.stringify({ iteration, sha256: sha256(`weights ${iteration}`) }),
    );
    await writeFile(join(folder, `${name}.log.jsonl`), `{"iteration":${iteration},"loss":1}\n`);
  }

  async function stored(store: MemoryStore, iteration: number, body = `weights ${iteration}`) {
    await store.put('c.pt', body);
    await store.put('c.log', '');
    return { iteration, key: 'c.pt', sha256: sha256(`weights ${iteration}`), sidecar: '{"iteration":1}', log: 'c.log' };
  }

  it('takes the newest whole checkpoint that an earlier attempt left on this disk, and clears the rest', async () => {
    await leftBehind('first', 10);
    await leftBehind('second', 20);
    await leftBehind('second', 30, true);
    const work = new WorkDir(home, DIGEST, 'third');
    const store = memoryStore();
    const found = await work.prepare(store, [await stored(store, 15)], log);
    assert.equal(found.checkpoint?.iteration, 20);
    assert.equal(found.isLocal, true);
    assert.equal(await readFile(found.checkpoint?.path ?? '', 'utf8'), 'weights 20');
    assert.deepEqual(await readdir(work.run), ['third']);
    assert.deepEqual((await readdir(join(work.path, 'checkpoints'))).sort(), [
      '00000020.json',
      '00000020.log.jsonl',
      '00000020.pt',
    ]);
  });

  it("takes the store's checkpoint if this disk has an older one or none", async () => {
    await leftBehind('first', 10);
    const store = memoryStore();
    const found = await new WorkDir(home, DIGEST, 'second').prepare(store, [await stored(store, 40)], log);
    assert.equal(found.checkpoint?.iteration, 40);
    assert.equal(found.isLocal, false);
    assert.equal(await readFile(found.checkpoint?.path ?? '', 'utf8'), 'weights 40');
  });

  it('does not hand a damaged checkpoint to the trainer', async () => {
    const store = memoryStore();
    const work = new WorkDir(home, DIGEST, 'first');
    const { checkpoint, lost } = await work.prepare(store, [await stored(store, 40, 'damaged')], log);
    assert.equal(checkpoint, null);
    assert.deepEqual(lost, [{ iteration: 40, key: 'c.pt', why: 'damaged', resumedFrom: 0 }]);
    assert.equal(
      (await readdir(join(work.path, 'checkpoints'))).some((name) => name.endsWith('.pt') || name.endsWith('.json')),
      false,
    );
  });
});
