import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './support/binaries.js';

/** Exit code and output of the import rules over a folder. */
function cruise(folder: string): Promise<{ code: number; output: string }> {
  const program = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, '.', '--config', join(ROOT, '.dependency-cruiser.cjs')],
      { cwd: join(ROOT, 'test', 'fixtures', 'imports', folder) },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
    );
  });
}

describe('the import rules', () => {
  it('refuse a workflow that imports the code of an activity', async () => {
    const { code, output } = await cruise('forbidden');
    assert.notEqual(code, 0);
    assert.match(output, /workflows-imports-only-domain.*workflows\/loop\.ts.*activities\/draw\.ts/s);
  });

  it('allow a workflow to import the type of an activity and code of the domain', async () => {
    const { code, output } = await cruise('allowed');
    assert.equal(code, 0, output);
  });
});
