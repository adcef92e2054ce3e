import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { parseWorkerIdentity } from '../../domain/base/workerIdentity.js';
import type { ScanRequest } from '../../domain/messages.js';
import type { StepResult } from '../../domain/steps.js';
import { scanImageRowSchema } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readTable } from '../../storage/tables/table.js';
import { hasPython } from '../support/models/tinyModel.js';
import { attemptsUnderWay, hostsThatDid, shardsOf, type UnderWay, until } from './attempts.js';
import { fillScanPool, POOL } from './scanPool.js';
import { type HostWorker, Site } from './site.js';

const IMAGES = 48;
const SHARD = 6;

describe('a scan on three hosts', function () {
  // A task that the server hands to a host that is cut off is given up after two minutes; there may be several.
  this.timeout(10 * 60_000);
  let folder: string;
  let site: Site;
  let store: ObjectStore;
  let model: { scan: string; card: string };
  let lights: HostWorker[];
  let scanners: HostWorker[];
  let disturbed: StepResult;

  before(async function () {
    if (!hasPython) {
      console.log('      skipped: no Python with onnx; run npm run bootstrap');
      return this.skip();
    }
    const opened = await Site.open();
    if (opened === null) return this.skip();
    site = opened;
    folder = await mkdtemp(join(tmpdir(), 'partloop-hosts-model-'));
    ({ store } = site);
    model = await fillScanPool(store, IMAGES, folder);
    lights = await Promise.all(['light-1', 'light-2'].map((name) => site.addWorker(name, 'light')));
    scanners = await Promise.all(['scan-1', 'scan-2', 'scan-3'].map((name) => site.addWorker(name, 'scan')));
  });
  after(async () => {
    await site?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('ends although one is cut off in the middle of a shard, which another host judges', async () => {
    const scan = await started('disturbed');
    const { host: victim } = await frozenInMidShard(scan);
    await site.network.cutOff(victim.host);
    victim.thaw();
    disturbed = await scan.result();
    assert.ok(!victim.hasEnded, 'the worker waits for the network');
    await assertWhole(disturbed);
    await site.network.heal(victim.host);
  });

  it('counts a shard once although a host that was cut off and healed judges it too', async () => {
    const scan = await started('twice');
    const { host: first, activityId } = await frozenInMidShard(scan);
    await site.network.cutOff(first.host);
    first.thaw();
    const { host: second } = await frozenInMidShard(
      scan,
      (attempt) => attempt.activityId === activityId && attempt.host !== first.host.name,
    );
    await site.network.heal(first.host);
    second.thaw();
    const twice = await scan.result();
    await assertWhole(twice);
    await assertSame(twice);
  });

  it('goes on if the host that runs its workflow is cut off', async () => {
    const scan = await started('without-light');
    const { host: scanner } = await frozenInMidShard(scan);
    const { events } = await scan.fetchHistory();
    const identities = (events ?? []).flatMap((event) => event.workflowTaskCompletedEventAttributes?.identity ?? []);
    const runs = parseWorkerIdentity(identities.at(-1) ?? '')?.host;
    const light = lights.find(({ host }) => host.name === runs);
    assert.ok(light !== undefined, runs);
    await site.network.cutOff(light.host);
    scanner.thaw();
    await assertSame(await scan.result());
    await site.network.heal(light.host);
  });

  it('gives the same bytes as on one host, and leaves no shard in hand', async () => {
    const [last, ...others] = scanners;
    await Promise.all(others.map((worker) => worker.stop()));
    const scan = await started('calm');
    const calm = await scan.result();
    assert.deepEqual(await hostsThatDid(site.temporal.client, scan.workflowId, 'scanShard'), [last?.host.name]);
    await assertSame(calm);
    assert.ok(Number(calm.facts.findings) > 0);
    const folder = calm.outputs.images?.split('/').slice(0, 2).join('/') ?? '';
    assert.deepEqual(await notesUnder(`${folder}/`), []);
    for (const note of await notesUnder('loops/'))
      assert.ok(
        (await store.head(note.replace(/\.in-hand\.json$/, ''))) !== null,
        `${note} is of a shard that was judged`,
      );
  });

  /** A host that is now stopped, with images of a shard in hand. */
  const frozenInMidShard = (
    { workflowId }: { workflowId: string },
    isWanted: (attempt: UnderWay) => boolean = () => true,
  ): Promise<{ host: HostWorker; activityId: string }> =>
    until(async () => {
      const wanted = async (): Promise<UnderWay[]> => {
        const noted = (await notesUnder('loops/')).map((key) =>
          Number(/(\d+)\.json\.gz\.in-hand\.json$/.exec(key)?.[1]),
        );
        const shards = await shardsOf(site.temporal.client, workflowId);
        return (await attemptsUnderWay(site.temporal.client, workflowId)).filter(
          (attempt) => noted.includes(shards.get(attempt.activityId) ?? -1) && isWanted(attempt),
        );
      };
      const attempt = (await wanted())[0];
      const host = scanners.find((worker) => worker.host.name === attempt?.host);
      if (attempt === undefined || host === undefined) return null;
      host.freeze();
      const isStill = ({ activityId, host: name }: UnderWay): boolean =>
        activityId === attempt.activityId && name === attempt.host;
      if ((await wanted()).some(isStill)) return { host, activityId: attempt.activityId };
      // It was done with the shard before it stood still.
      host.thaw();
      return null;
    });

  async function assertWhole({ facts, outputs }: StepResult): Promise<void> {
    assert.deepEqual([facts.scanned, facts.errors, facts.failedShards], [IMAGES, 0, 0]);
    const images = await readTable(store, outputs.images ?? '', scanImageRowSchema);
    assert.equal(images.length, IMAGES);
    assert.equal(new Set(images.map(({ imageId }) => imageId)).size, IMAGES, 'each image once');
  }

  async function assertSame(result: StepResult): Promise<void> {
    for (const name of ['images', 'findings'] as const)
      assert.deepEqual(await bytesOf(result, name), await bytesOf(disturbed, name), name);
  }

  /**
   * What attempts have noted as in hand. Of a scan whose host was cut off one may come after its end: the network holds
   * a request back and hands it on once it is healed.
   */
  async function notesUnder(folder: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of store.list(folder)) if (key.endsWith('.in-hand.json')) found.push(key);
    return found;
  }

  async function started(name: string): Promise<WorkflowHandle & { result(): Promise<StepResult> }> {
    const request: ScanRequest = {
      pool: POOL,
      model,
      split: 'train',
      settings: {
        scan: { shardSize: SHARD, sessions: 1, maxShardsInFlight: 6 },
        durability: { scanHeartbeatSeconds: 5 },
      },
    };
    return site.temporal.client.workflow.start('mislabelScan', {
      workflowId: `scan-${name}`,
      taskQueue: LIGHT_QUEUE,
      args: [request],
    });
  }

  const bytesOf = async ({ outputs }: StepResult, name: string): Promise<Uint8Array> =>
    (await store.get(outputs[name] ?? '')).body;
});
