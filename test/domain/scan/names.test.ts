import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COLUMNS, IMAGE_COLUMNS } from '../../../domain/scan/calibrate/features.js';
import { FEATURES, SOME_FEATURES } from '../../../domain/scan/features.js';
import { PROBABILITIES } from '../../../domain/scan/probabilities.js';
import { ROOT } from '../../support/binaries.js';
import { repositoryFiles } from '../../support/sourceTexts.js';

const page = (name: string): Promise<string> => readFile(join(ROOT, 'docs', name), 'utf8');

describe('the names of the features of a scan', () => {
  it('stand in docs/mislabel.md as declared, with unit and sentence', async () => {
    const declared = Object.entries({ ...FEATURES, ...SOME_FEATURES }).map(
      ([name, { unit, sentence }]) => `| \`${name}\` | ${unit} | ${sentence} |`,
    );
    const text = await page('mislabel.md');
    assert.deepEqual(
      declared.filter((line) => !text.includes(line)),
      [],
    );
  });

  it('of probabilities stand in docs/mislabel.md as declared', async () => {
    const text = await page('mislabel.md');
    const declared = Object.entries(PROBABILITIES).map(([name, { sentence }]) => `| \`${name}\` | ${sentence} |`);
    assert.deepEqual(
      declared.filter((line) => !text.includes(line)),
      [],
    );
  });

  it('belong to one column of a regression each', () => {
    for (const columns of [COLUMNS, IMAGE_COLUMNS]) {
      const names = columns.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
    }
  });
});

describe('the constants of a scan', () => {
  it('stand in files that docs/mislabel.md names', async () => {
    const text = await page('mislabel.md');
    const tables = await Promise.all(
      repositoryFiles()
        .filter((name) => /^domain\/scan\/.*\.ts$/.test(name) && name !== 'domain/scan/constants.ts')
        .map(async (name) => ({ name, source: await readFile(join(ROOT, name), 'utf8') })),
    );
    const unnamed = tables
      .filter(({ name, source }) => source.includes('= valuesOf({') && !text.includes(name.replace('domain/scan/', '')))
      .map(({ name }) => name);
    assert.deepEqual(unnamed, []);
  });

  it('have their tables named in docs/mislabel.md, beside the source of their values', async () => {
    const text = await page('mislabel.md');
    const files = repositoryFiles().filter((name) => /^domain\/scan\/.*\.ts$/.test(name));
    const sources = await Promise.all(files.map((name) => readFile(join(ROOT, name), 'utf8')));
    const tables = sources.flatMap((source) =>
      [...source.matchAll(/export const (\w+) = valuesOf\(/g)].map(([, name]) => name ?? ''),
    );
    assert.ok(tables.length > 20, `${tables.length} tables`);
    assert.deepEqual(
      tables.filter((name) => !new RegExp(`\`${name}[\`.]`).test(text)),
      [],
    );
  });
});
