import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configReference } from '../../domain/configReference.js';
import { ROOT } from '../support/binaries.js';

describe('the configuration reference', () => {
  it('is what docs/config.md says; `npx partloop config docs > docs/config.md` renews it', async () => {
    assert.equal(await readFile(join(ROOT, 'docs', 'config.md'), 'utf8'), configReference());
  });
});
