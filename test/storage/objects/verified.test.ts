import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import type { ResultOf } from '../../../domain/stepContract.js';
import type { Step } from '../../../domain/steps.js';
import { chunkRowSchema } from '../../../domain/tables.js';
import { runStep } from '../../../steps/runStep.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { verified } from '../../../storage/objects/verified.js';
import { openSealed, sealed } from '../../../storage/seal.js';
import { readTable, writeTable } from '../../../storage/tables/table.js';
import { chunkRow } from '../../domain/sample/rows.js';
import { flipped } from '../../support/pictures/flipped.js';
import { testConfig } from '../../support/standIns/fakeActivities.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const context = { loop: 'cars', iteration: 3, config: testConfig, previous: null, force: null };

/** A step that leaves files. */
const contractOf = <Name extends Step, Files extends z.ZodRawShape>(step: Name, files: Files) => ({
  ...{ step, version: 1, inputs: z.object({}), outputs: z.object(files), facts: z.object({}) },
});
const LISTED = contractOf('scan', { chunk: z.string(), list: z.string(), deep: z.string() });

describe('an object that a step wrote', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-verified-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('reads back unchanged, in each way of reading', async () => {
    const { store, result } = await written();
    const { chunk = '', list = '' } = result.outputs;
    assert.equal((await readTable(store, chunk, chunkRowSchema)).length, 3);
    assert.equal(text((await store.get(list)).body), LIST);
    assert.equal(text((await store.tryGet(list))?.body ?? new Uint8Array()), LIST);
    assert.equal(text(Buffer.concat(await (await store.getStream(list)).toArray())), LIST);
    const path = join(folder, 'list.json');
    await store.getFile(list, path);
    assert.equal(await readFile(path, 'utf8'), LIST);
  });

  it('is refused by name if any single bit changed, with the command that makes it again', async () => {
    const { raw, store, result } = await written();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(result.outputs)), fc.nat(), async (key, bit) => {
        const { body } = await raw.get(key);
        await raw.put(key, flipped(body, bit));
        const isRefused = (error: unknown): boolean =>
          error instanceof PartloopError &&
          error.code === 'data-invalid' &&
          error.message.startsWith(`${key} is damaged: it was written with ${body.byteLength} bytes, sha256 `) &&
          /`partloop iteration replay cars 3 --from scan`/.test(error.hint ?? '');
        await assert.rejects(store.get(key), isRefused);
        await assert.rejects(store.tryGet(key), isRefused);
        await assert.rejects(store.getFile(key, join(folder, 'refused')), isRefused);
        await assert.rejects(async () => (await store.getStream(key)).toArray(), isRefused);
        await raw.put(key, body);
      }),
      { numRuns: 60 },
    );
    await assert.rejects(readFile(join(folder, 'refused')), { code: 'ENOENT' });
  });

  it('is refused if it was cut short, and named with a way out if it is gone', async () => {
    const { raw, store, result } = await written();
    const key = result.outputs.list ?? '';
    await raw.put(key, LIST.slice(0, 20));
    await assert.rejects(store.get(key), /is damaged: it was written with \d+ bytes.*read with 20 bytes/);
    await raw.delete([key]);
    await assert.rejects(
      store.get(key),
      (error: unknown) =>
        error instanceof PartloopError &&
        error.code === 'not-found' &&
        /replay cars 3 --from scan/.test(error.hint ?? ''),
    );
  });

  it('is read unchecked if its commit is older than digests', async () => {
    const { raw, store, result, commit } = await written();
    const { files: _, sha256: __, ...old } = z.record(z.string(), z.unknown()).parse(JSON.parse(commit));
    await raw.put(keys.commit('cars', 3, 'scan', result.digest), JSON.stringify(old));
    const key = result.outputs.list ?? '';
    await raw.put(key, 'something else');
    assert.equal(text((await store.get(key)).body), 'something else');
    assert.equal((await again(store)).outcome, 'hit');
  });

  it('stands in a commit in which no changed bit goes unnoticed', async () => {
    const { raw, store, result, commit } = await written();
    const key = keys.commit('cars', 3, 'scan', result.digest);
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (bit) => {
        await raw.put(key, flipped(Buffer.from(commit), bit));
        await assert.rejects(
          again(store),
          (error: unknown) =>
            error instanceof PartloopError &&
            error.code === 'data-invalid' &&
            error.message.startsWith(key) &&
            /replay cars 3 --from scan/.test(error.hint ?? ''),
        );
      }),
      { numRuns: 300 },
    );
    await raw.put(key, commit.slice(0, 100));
    await assert.rejects(again(store), /commit\.json is not JSON \(100 characters\)/);
  });

  it('is read a second time before it is refused, since the network may have spoiled it', async () => {
    const { raw, result } = await written();
    const key = result.outputs.list ?? '';
    let spoiled = 1;
    const faulty: ObjectStore = {
      ...raw,
      get: async (asked) => {
        const object = await raw.get(asked);
        return asked === key && spoiled-- > 0 ? { ...object, body: flipped(object.body, 7) } : object;
      },
    };
    assert.equal(text((await verified(faulty).get(key)).body), LIST);
  });

  it('must be written through the store that notes its digest', async () => {
    const { store } = await written();
    await assert.rejects(
      runStep(store, context, contractOf('draw', { a: z.string() }), {}, async (attempt) => {
        await store.put(attempt.key('a.json'), '{}');
        return { outputs: { a: attempt.key('a.json') }, facts: {} };
      }),
      /was not written through the store of its attempt/,
    );
  });

  it('is checked against its name if it is a label', async () => {
    const { raw, store } = await written();
    const result = await runStep(store, context, contractOf('sample', { label: z.string() }), {}, async (attempt) => {
      await attempt.store.put(attempt.key(`labels/${SHA_OF_A}.png`), 'a');
      return { outputs: { label: attempt.key(`labels/${SHA_OF_A}.png`) }, facts: {} };
    });
    const key = result.outputs.label ?? '';
    assert.equal(text((await store.get(key)).body), 'a');
    await raw.put(key, 'b');
    await assert.rejects(store.get(key), /is damaged/);
  });

  it('counts as sealed only if its seal fits', () => {
    const value = { version: 1, warnings: ['a'] };
    const schema = z.object({ version: z.literal(1), warnings: z.array(z.string()) });
    const open = (body: Uint8Array): unknown => openSealed(body, 'judges.json', schema, { isSealed: () => true });
    assert.deepEqual(open(Buffer.from(sealed(value))), value);
    fc.assert(
      fc.property(fc.nat(), (bit) => {
        assert.throws(() => open(flipped(Buffer.from(sealed(value)), bit)), /^PartloopError: judges\.json is/);
      }),
    );
  });

  const again = (store: ObjectStore): Promise<ResultOf<typeof LISTED>> =>
    runStep(store, context, LISTED, {}, () => assert.fail('it is done'));

  /** A step that left a table, a list and a small object. */
  async function written() {
    const raw = memoryStore();
    const store = verified({ ...raw });
    const result = await runStep(store, context, LISTED, {}, async (attempt) => {
      const outputs = {
        chunk: attempt.key('chunk.parquet'),
        list: attempt.key('list.json'),
        deep: attempt.key('rows/0.bin'),
      };
      await writeTable(
        attempt.store,
        outputs.chunk,
        [1, 2, 3].map((n) => chunkRow(n)),
        chunkRowSchema,
      );
      await attempt.store.put(outputs.list, LIST);
      await attempt.store.put(outputs.deep, Uint8Array.from([1, 2, 3]));
      return { outputs, facts: {} };
    });
    const commit = text((await raw.get(keys.commit('cars', 3, 'scan', result.digest))).body);
    return { raw, store, result, commit };
  }
});

const LIST = JSON.stringify(Array.from({ length: 50 }, (_, n) => n));
const SHA_OF_A = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb';
const text = (body: Uint8Array): string => new TextDecoder().decode(body);
