import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../../infra/home.js';
import { isAlive, refOf } from '../../../infra/processes/processes.js';

describe('the guard for systems without setpriv', () => {
  it('ends its program when its parent process is gone', async () => {
    const program = 'console.log(process.pid); setInterval(() => {}, 1000)';
    const guard = join(ROOT, 'dist', 'infra', 'processes', 'guardMain.js');
    const child = spawn(process.execPath, [guard, process.execPath, '-e', program], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [line] = await once(child.stdout, 'data');
    const ref = refOf(Number(String(line)));
    assert.ok(isAlive(ref));
    child.stdin.destroy();
    await once(child, 'exit');
    assert.equal(isAlive(ref), false);
  });
});
