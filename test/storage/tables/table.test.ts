import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import * as tables from '../../../domain/tables.js';
import { readCsvFile, readTable, streamFile, writeTable, writeTableFile } from '../../../storage/tables/table.js';
import { save } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const schema = z.object({
  name: z.string(),
  count: z.number().int(),
  share: z.number(),
  seen: z.boolean().nullable(),
  kind: z.enum(['a', 'b']).nullable(),
  angle: z.literal([0, 15, 30]).nullable(),
  words: z.array(z.string()),
  counts: z.array(z.number().int()),
});

const rowArbitrary: fc.Arbitrary<z.output<typeof schema>> = fc.record(
  {
    name: fc.string({ unit: 'grapheme' }),
    count: fc.maxSafeInteger(),
    share: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
    seen: fc.option(fc.boolean()),
    kind: fc.option(fc.constantFrom('a', 'b')),
    angle: fc.option(fc.constantFrom(0, 15, 30)),
    words: fc.array(fc.string()),
    counts: fc.array(fc.integer()),
  },
  { noNullPrototype: true },
);

describe('a table', function () {
  this.timeout(60_000);

  it('reads back as it was written, rows in their order', async () => {
    const store = memoryStore();
    await fc.assert(
      fc.asyncProperty(fc.array(rowArbitrary, { maxLength: 20 }), async (rows) => {
        await writeTable(store, 'table.parquet', rows, schema);
        assert.deepEqual(await readTable(store, 'table.parquet', schema), rows);
      }),
      { numRuns: 25 },
    );
  });

  it('keeps the order of many thousand rows', async () => {
    const store = memoryStore();
    const numbered = z.object({ number: z.number().int() });
    const rows = Array.from({ length: 10_000 }, (_, number) => ({ number: (number * 7_919) % 10_000 }));
    await writeTable(store, 'long.parquet', rows, numbered);
    assert.deepEqual(await readTable(store, 'long.parquet', numbered), rows);
  });

  it('holds every kind of row that partloop keeps, even without any row', async () => {
    const store = memoryStore();
    for (const [name, schemaOfRow] of Object.entries(tables)) {
      if (!(schemaOfRow instanceof z.ZodObject) || !name.endsWith('RowSchema')) continue;
      await writeTable(store, name, [], schemaOfRow);
      assert.deepEqual(await readTable(store, name, schemaOfRow), [], name);
    }
  });

  it('names the object, row and column of a wrong value', async () => {
    const store = memoryStore();
    await writeTable(store, 'old.parquet', [{ size: 1 }, { size: -1 }], z.object({ size: z.number() }));
    await assert.rejects(
      readTable(store, 'old.parquet', z.object({ size: z.number().positive() })),
      (error) =>
        error instanceof PartloopError &&
        error.code === 'data-invalid' &&
        /old\.parquet, row 1[\s\S]*size/.test(error.message),
    );
  });

  it('says so if an object is no table', async () => {
    const store = memoryStore();
    await store.put('text.parquet', 'not a table');
    await assert.rejects(
      readTable(store, 'text.parquet', schema),
      (error) =>
        error instanceof PartloopError && error.code === 'data-invalid' && error.message.includes('text.parquet'),
    );
  });

  it('is read only from the file of that name, even if the name looks like a pattern', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pl-[a]*-'));
    try {
      for (const [name, text] of [
        ['found[1].csv', 'name\nright\n'],
        ['found1.csv', 'name\nother\n'],
        ['all*.csv', 'name\nright\n'],
        ['all.csv', 'name\nother\n'],
        ['wh?t.csv', 'name\nright\n'],
        ['what.csv', 'name\nother\n'],
      ] as const)
        await save(folder, name, text);
      for (const name of ['found[1].csv', 'all*.csv', 'wh?t.csv'])
        assert.deepEqual(await readCsvFile(join(folder, name)), [{ name: 'right' }], name);
      const path = join(folder, 'rows[1].parquet');
      const row = { name: 'right' };
      await writeTableFile(path, 'parquet', [row], z.object({ name: z.string() }));
      for await (const found of streamFile(path, path, z.object({ name: z.string() }))) assert.deepEqual(found, row);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
