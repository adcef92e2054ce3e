import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configReference } from '../../../domain/settings/configReference.js';
import { ROOT } from '../../support/binaries.js';
import { repositoryFiles } from '../../support/sourceTexts.js';

describe('the configuration reference', () => {
  it('equals docs/config.md; `npx partloop config docs > docs/config.md` renews it', async () => {
    assert.equal(await readFile(join(ROOT, 'docs', 'config.md'), 'utf8'), configReference());
  });

  it('holds no setting that nobody reads', async () => {
    const declares = /^(domain\/config|domain\/tune\/space)\.ts$|\/job\.py$/;
    const sources = repositoryFiles().filter(
      (name) =>
        /^(activities|cli|domain|inference|pool|workers|workflows|trainer\/partloop_trainer)\/.*\.(ts|py)$/.test(
          name,
        ) && !declares.test(name),
    );
    const text = (await Promise.all(sources.map((name) => readFile(join(ROOT, name), 'utf8')))).join('\n');
    const names = [...configReference().matchAll(/^\| `([\w.]+)` \|/gm)].map(
      ([, path]) => path?.split('.').at(-1) ?? '',
    );
    assert.ok(names.length > 80, 'the reference lists all settings');
    const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const isRead = (name: string) => new RegExp(`\\b(${name}|${snake(name)})\\b`).test(text);
    assert.deepEqual(
      names.filter((name) => !isRead(name)),
      [],
    );
  });
});
