import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { z } from 'zod';
import { createCleanUpActivities } from '../../activities/cleanUp.js';
import { CLEAN_UP_ID } from '../../domain/base/ids.js';
import { cleanUpResultSchema } from '../../domain/cleanup/requests.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { context, train } from '../cleanup/gc/kit.js';
import { partloopHere } from '../support/cliHere.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { localEnvironment, withWorkers } from '../support/servers/workflowEnvironment.js';
import { fakeActivities } from '../support/standIns/fakeActivities.js';

const scheduleSchema = z.looseObject({ when: z.string(), request: z.record(z.string(), z.unknown()) });
const listedSchema = z.object({ schedules: z.array(scheduleSchema) });
const madeSchema = z.looseObject({ outcome: z.string(), after: scheduleSchema });

/** A real store and a real Temporal. */
describe('partloop gc schedule', function () {
  this.timeout(180_000);
  let server: TestStore;
  let environment: TestWorkflowEnvironment;
  let store: ObjectStore;
  let home: string;

  before(async () => {
    [server, environment] = await Promise.all([startTestStore(), localEnvironment()]);
    home = await mkdtemp(join(tmpdir(), 'partloop-gc-'));
    store = server.open('gc');
  });
  after(async () => {
    await Promise.all([server?.stop(), environment?.teardown()]);
    await rm(home, { recursive: true, force: true });
  });

  const run = (...args: string[]) =>
    partloopHere(args, {
      PARTLOOP_HOME: home,
      PARTLOOP_STORE: 's3://partloop/gc',
      TEMPORAL_ADDRESS: environment.address,
      TEMPORAL_NAMESPACE: environment.namespace ?? 'default',
      AWS_ENDPOINT_URL_S3: server.options.endpoint,
      AWS_REGION: server.options.region,
      AWS_ACCESS_KEY_ID: server.options.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.options.credentials.secretAccessKey,
    });
  async function json(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await run(...args, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  it('makes one Schedule, changes it, shows it and ends it', async () => {
    assert.deepEqual(listedSchema.parse(await json('gc', 'schedule', '--list')).schedules, []);
    const made = madeSchema.parse(await json('gc', 'schedule', '--every', '12h', '--shards', '--older-than', '48'));
    assert.deepEqual(
      [made.outcome, made.after.when, made.after.request],
      [
        'created',
        'every 12h',
        { delete: true, shards: true, copies: false, olderThanHours: 48, abandonedAfterDays: 7 },
      ],
    );
    const changed = madeSchema.parse(await json('gc', 'schedule', '--cron', '30 3 * * *'));
    assert.deepEqual([changed.outcome, changed.after.when], ['updated', '30 3 * * *']);
    const { stdout } = await run('gc', 'schedule', '--list');
    assert.match(stdout, /30 3 \* \* \* UTC/);
    await json('gc', 'schedule', '--off');
    const { code, stderr } = await run('gc', 'schedule', '--off');
    assert.deepEqual([code, /nothing is deleted at fixed times/.test(stderr)], [3, true]);
  });

  it('deletes by itself what nothing reads any more, and nothing else', async () => {
    await train(store, context(1), 1, { saves: 2 });
    const keysOf = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { key } of store.list('loops/')) found.push(key);
      return found;
    };
    const before = await keysOf();
    const { kinds } = z
      .looseObject({ kinds: z.array(z.looseObject({ kind: z.string(), objects: z.number() })) })
      .parse(await json('gc', '--older-than', '0'));
    assert.equal(kinds.find(({ kind }) => kind === 'checkpoints')?.objects, 5);
    await json('gc', 'schedule', '--older-than', '0');
    const activities = {
      ...fakeActivities().activities,
      ...createCleanUpActivities({
        ...{ store, client: environment.client, home, root: home, log: pino({ level: 'silent' }) },
      }),
    };
    await withWorkers(environment, activities, async () => {
      const { client } = environment;
      await client.schedule.getHandle('clean-up:store').trigger();
      const work = client.workflow.getHandle(CLEAN_UP_ID);
      for (;;) {
        if ((await work.describe().catch(() => null)) !== null) break;
        await new Promise((done) => setTimeout(done, 100));
      }
      const { deleted, objects } = cleanUpResultSchema.parse(await work.result());
      assert.deepEqual([deleted, objects], [true, 5]);
    });
    const left = await keysOf();
    assert.deepEqual(
      left,
      before.filter((key) => !/checkpoints\/|latest\.json/.test(key)),
    );
  });
});
