import assert from 'node:assert/strict';
import { join } from 'node:path';
import { venvBinary } from '../../../infra/home.js';
import { spawnGuarded } from '../../../infra/processes/guard.js';
import { choosePorts, isListening } from '../../../infra/services/ports.js';
import { makeTestHome, partloop, until } from '../home.js';

describe('a Temporal service named by the environment', function () {
  this.timeout(60_000);

  it('is refused while it lacks the search attributes, with the commands that add them', async () => {
    const { home, remove } = await makeTestHome();
    const { temporal: port } = await choosePorts({});
    const address = `127.0.0.1:${port}`;
    const server = spawnGuarded({
      command: venvBinary('temporal'),
      args: ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'never'],
      env: process.env,
      cwd: home,
      logFile: join(home, 'foreign.log'),
    });
    try {
      await until(() => isListening(port));
      const foreign = {
        TEMPORAL_ADDRESS: address,
        PARTLOOP_STORE: 's3://elsewhere/store',
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
      };
      const { code, stderr } = await partloop(home, foreign, 'up', '--detach');
      assert.equal(code, 7, stderr);
      assert.match(
        stderr,
        new RegExp(
          `temporal operator search-attribute create --address ${address} .*--name PartloopLoop --type Keyword`,
        ),
      );
      const status: unknown = JSON.parse((await partloop(home, foreign, 'status', '--json')).stdout);
      assert.ok(typeof status === 'object' && status !== null && 'phase' in status);
      assert.equal(status.phase, 'never started');
    } finally {
      server.kill('SIGKILL');
      await remove();
    }
  });
});
