import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { checkTools } from '../../workers/checks/checkMachine.js';
import { ROOT } from '../support/binaries.js';
import { partloop } from '../support/cli.js';

const statusSchema = z.looseObject({ store: z.looseObject({ reachable: z.boolean().nullable() }) });

describe('a service or a program with a wrong set-up', function () {
  this.timeout(60_000);
  let home: string;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-services-'));
  });
  after(() => rm(home, { recursive: true, force: true }));

  it('is named if the configuration of Temporal has no such profile', async () => {
    const environment = { TEMPORAL_PROFILE: 'nope', TEMPORAL_CONFIG_FILE: join(home, 'none.toml') };
    const { code, stderr } = await partloop(home, ['loop', 'status'], { environment });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /error: the configuration of Temporal cannot be used: .*nope/);
    assert.match(stderr, /hint: Check TEMPORAL_PROFILE/);
  });

  it('does not count as an answering store if it only accepts connections', async () => {
    const sockets: Socket[] = [];
    const silent: Server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    try {
      const environment = {
        PARTLOOP_STORE: 's3://partloop/store',
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
        AWS_ACCESS_KEY_ID: 'a',
        AWS_SECRET_ACCESS_KEY: 'b',
      };
      const { code, stdout, stderr } = await partloop(home, ['status', '--json'], { environment });
      assert.equal(code, 0, stderr);
      assert.equal(statusSchema.parse(JSON.parse(stdout)).store.reachable, false);
      assert.ok(sockets.length > 0);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it('is named by its exit code if it prints nothing, not by its input', async () => {
    const before = process.env.PARTLOOP_PYTHON;
    process.env.PARTLOOP_PYTHON = '/bin/false';
    try {
      await assert.rejects(
        checkTools('train', ROOT),
        /\/bin\/false cannot load the trainer: it ends with exit code 1 and says nothing/,
      );
    } finally {
      if (before === undefined) delete process.env.PARTLOOP_PYTHON;
      else process.env.PARTLOOP_PYTHON = before;
    }
  });
});
