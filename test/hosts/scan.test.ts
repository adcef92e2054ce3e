import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { ScanRequest } from '../../domain/messages.js';
import { LIGHT_QUEUE } from '../../domain/queues.js';
import type { StepResult } from '../../domain/steps.js';
import { scanImageRowSchema } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { readTable } from '../../storage/table.js';
import { hasPython } from '../support/tinyModel.js';
import { attemptsUnderWay, hostsThatDid, shardsOf, until } from './attempts.js';
import { fillScanPool, POOL } from './scanPool.js';
import { type HostWorker, Site } from './site.js';

const IMAGES = 48;
const SHARD = 6;

describe('a scan on three hosts', function () {
  this.timeout(5 * 60_000);
  let folder: string;
  let site: Site;
  let store: ObjectStore;
  let model: { scan: string; card: string };
  let scanners: HostWorker[];
  let victim: HostWorker;
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
    await site.addWorker('light', 'light');
    scanners = await Promise.all(['scan-1', 'scan-2', 'scan-3'].map((name) => site.addWorker(name, 'scan')));
  });
  after(async () => {
    await site?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('ends while one is cut off in the middle of a shard, which another host judges', async () => {
    const scan = await started('disturbed');
    const { host } = await inMidShard(scan);
    victim = host;
    await site.network.cutOff(victim.host);
    disturbed = await scan.result();
    assert.ok(!victim.hasEnded, 'the worker waits for the network');
    await assertWhole(disturbed);
  });

  it('has the worker that was cut off back once it is healed, alone for a scan of the same bytes', async () => {
    await site.network.heal(victim.host);
    await Promise.all(scanners.filter((worker) => worker !== victim).map((worker) => worker.stop()));
    const scan = await started('calm');
    const calm = await scan.result();
    assert.deepEqual(await hostsThatDid(site.temporal.client, scan.workflowId, 'scanShard'), [victim.host.name]);
    for (const name of ['images', 'findings'] as const)
      assert.deepEqual(await bytesOf(calm, name), await bytesOf(disturbed, name), name);
    assert.ok(Number(calm.facts.findings) > 0);
    assert.deepEqual(await notes(), [], 'nothing is left of what was in hand');
  });

  /** A host whose network has images of a shard in hand. */
  const inMidShard = ({ workflowId }: { workflowId: string }): Promise<{ host: HostWorker }> =>
    until(async () => {
      const { client } = site.temporal;
      const noted = (await notes()).map((key) => Number(/(\d+)\.json\.gz\.in-hand\.json$/.exec(key)?.[1]));
      const shards = await shardsOf(client, workflowId);
      const attempts = await attemptsUnderWay(client, workflowId);
      const attempt = attempts.find(({ activityId }) => noted.includes(shards.get(activityId) ?? -1));
      const host = scanners.find((worker) => worker.host.name === attempt?.host);
      return attempt !== undefined && host !== undefined && { host, activityId: attempt.activityId };
    });

  async function assertWhole({ facts, outputs }: StepResult): Promise<void> {
    assert.deepEqual([facts.scanned, facts.errors, facts.failedShards], [IMAGES, 0, 0]);
    const images = await readTable(store, outputs.images ?? '', scanImageRowSchema);
    assert.equal(images.length, IMAGES);
    assert.equal(new Set(images.map(({ imageId }) => imageId)).size, IMAGES, 'each image once');
  }

  /** What attempts have noted as in hand. */
  async function notes(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of store.list('loops/')) if (key.endsWith('.in-hand.json')) found.push(key);
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
