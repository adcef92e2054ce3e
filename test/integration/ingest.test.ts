import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { receiptSchema } from '../../domain/ingest/receipt.js';
import { LOOP_PHASES } from '../../domain/messages.js';
import { storeOfHome } from '../chaos/home.js';
import { ROOT } from '../support/binaries.js';
import { partloop, partloopJson } from '../support/cli.js';
import { carStack, drawCars, importingCars } from '../support/servers/carStack.js';
import { freePorts } from '../workers/metrics/freePorts.js';

const lineSchema = z.looseObject({ image: z.string(), label: z.string() });
const receiptsSchema = z.object({ receipts: z.array(receiptSchema) });
const runSchema = z.object({
  ingests: z.array(
    z.looseObject({ pool: z.string(), totals: z.looseObject({ drops: z.number(), added: z.number() }) }),
  ),
});
const statusSchema = z.object({
  inboxes: z.array(
    z.looseObject({ pool: z.string(), running: z.boolean(), drops: z.array(z.looseObject({ drop: z.string() })) }),
  ),
});
const loopSchema = z.looseObject({
  phase: z.enum(LOOP_PHASES),
  iteration: z.number().nullable(),
  newImages: z.object({ undrawn: z.number(), needed: z.number() }).nullish(),
});

/** A stack with the short steps alone: an iteration that begins waits at its scan, enough to see that it began. */
describe('data that arrives by itself', function () {
  this.timeout(5 * 60_000);
  let home: string;
  let cars: string;
  let remove = async (): Promise<void> => undefined;

  before(async () => {
    process.env.PARTLOOP_WORKERS = 'light';
    ({ home, remove } = await carStack('cars', { seed: 8, counts: { train: 6, val: 2, test: 3 } }));
    cars = dirname(await drawCars(join(home, 'more'), { seed: 21, counts: { train: 12, val: 0, test: 0 } }));
  });
  after(async () => {
    delete process.env.PARTLOOP_WORKERS;
    await remove();
  });

  /** A folder with the `count` cars from number `first` on, and what else is said of them. */
  async function folderOf(name: string, first: number, count: number, facts: object = {}): Promise<string> {
    const folder = join(home, 'drops', name);
    const lines = (await readFile(join(cars, 'manifest.jsonl'), 'utf8')).trim().split('\n');
    const entries = lines.slice(first, first + count).map((line) => lineSchema.parse(JSON.parse(line)));
    for (const { image, label } of entries) {
      for (const path of [image, label]) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await cp(join(cars, path), join(folder, path));
      }
    }
    const said = entries.map((entry) => JSON.stringify({ ...entry, ...facts }));
    await writeFile(join(folder, 'manifest.jsonl'), said.join('\n'));
    return folder;
  }

  const receipts = async (...drop: string[]) =>
    receiptsSchema.parse(await partloopJson(home, ['ingest', 'receipts', 'cars', ...drop])).receipts;
  async function until<T>(look: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
    for (;;) {
      const value = await look();
      if (isDone(value)) return value;
      await sleep(500);
    }
  }

  it('is sent as a folder, taken in on request, and leaves a receipt', async () => {
    const folder = await folderOf('monday', 0, 3);
    await partloopJson(home, ['ingest', 'send', 'cars', folder]);
    const before = statusSchema.parse(await partloopJson(home, ['ingest', 'status']));
    assert.deepEqual(
      before.inboxes.map(({ pool, running, drops }) => [pool, running, drops.length]),
      [['cars', false, 1]],
    );
    const again = await partloop(home, ['ingest', 'send', 'cars', folder, '--json']);
    assert.equal(again.code, 2, again.stderr);
    const ran = runSchema.parse(await partloopJson(home, ['ingest', 'run', 'cars', '--wait']));
    assert.deepEqual(
      ran.ingests.map(({ totals }) => [totals.drops, totals.added]),
      [[1, 3]],
    );
    const [receipt, ...others] = await receipts('monday');
    assert.deepEqual([receipt?.outcome, receipt?.added, receipt?.files, others], ['taken', 3, 7, []]);
    const store = await storeOfHome(home);
    for await (const { key } of store.list('inbox/')) assert.fail(`${key} is still there`);
  });

  it('is taken by rules that the operator sets', async () => {
    const file = join(home, 'rules.json');
    await writeFile(file, JSON.stringify({ source: 'in-house', waitHours: 0 }));
    const { stdout } = await partloop(home, ['ingest', 'rules', 'cars', file]);
    assert.equal(z.looseObject({ source: z.string() }).parse(JSON.parse(stdout)).source, 'in-house');
    await writeFile(file, JSON.stringify({ sauce: 'in-house' }));
    const bad = await partloop(home, ['ingest', 'rules', 'cars', file]);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /sauce/);
  });

  it('begins the iteration of a loop that waits, once there are as many images as its policy says', async () => {
    const seed = await folderOf('seed', 11, 1, { split: 'test' });
    await partloopJson(home, importingCars(join(seed, 'manifest.jsonl'), 'empty'));
    const loop = async () => loopSchema.parse(await partloopJson(home, ['loop', 'status', 'empty']));
    await partloopJson(home, ['loop', 'start', 'empty', '--pool', 'empty', '--chunk-size', '20']);
    await until(loop, ({ phase }) => phase === 'waiting for images');
    await partloopJson(home, ['loop', 'policy', 'empty', '--new-images', '4']);
    await partloopJson(home, ['ingest', 'send', 'empty', await folderOf('three', 0, 3)]);
    await partloopJson(home, ['ingest', 'run', 'empty', '--wait']);
    const waits = await until(loop, ({ newImages }) => newImages?.undrawn === 3);
    assert.deepEqual([waits.phase, waits.newImages?.needed], ['waiting for images', 4]);
    await partloopJson(home, ['ingest', 'send', 'empty', await folderOf('two', 3, 2)]);
    await partloopJson(home, ['ingest', 'run', 'empty', '--wait']);
    assert.equal((await until(loop, ({ iteration }) => iteration !== null)).phase, 'running');
    await partloopJson(home, ['loop', 'stop', 'empty', '--now']);
  });

  it('is read at fixed times, and when its marker is written', async () => {
    await partloopJson(home, ['ingest', 'schedule', 'cars', '--every', '1m']);
    const listed = await partloop(home, ['ingest', 'schedule', '--list']);
    assert.match(listed.stdout, /cars +every 1m/);
    await partloopJson(home, ['ingest', 'schedule', 'cars', '--delete']);

    const token = 'a-secret-of-this-test';
    const port = await freePorts(1);
    const listener = spawn(
      process.execPath,
      [join(ROOT, 'dist', 'cli', 'main.js'), 'ingest', 'listen', '--port', String(port)],
      {
        env: { ...process.env, PARTLOOP_HOME: home, PARTLOOP_INGEST_TOKEN: token },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    try {
      let said = '';
      const listening = new Promise<void>((done, failed) => {
        listener.once('exit', (code) => failed(new Error(`it ended with ${code}: ${said}`)));
        listener.stderr.on('data', (part: Buffer) => {
          said += part.toString();
          if (said.includes('listening on')) done();
        });
      });
      await listening;
      await partloopJson(home, ['ingest', 'send', 'cars', await folderOf('tuesday', 3, 2)]);
      const { bucket, prefix } = { bucket: 'partloop', prefix: said.match(/s3:\/\/partloop(.*)\/inbox\//)?.[1] ?? '' };
      const key = `${prefix.replace(/^\//, '')}/inbox/cars/tuesday/_COMPLETE`.replace(/^\//, '');
      const event = {
        Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: bucket }, object: { key } } }],
      };
      const post = (headers: Record<string, string>) =>
        fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: JSON.stringify(event) });
      assert.equal((await post({})).status, 401);
      assert.deepEqual(await (await post({ authorization: `Bearer ${token}` })).json(), { woken: ['cars'] });
      const [receipt] = await until(
        () => receipts('tuesday').catch(() => []),
        (found) => found.length > 0,
      );
      assert.equal(receipt?.added, 2);
    } finally {
      const ended = once(listener, 'exit');
      if (listener.exitCode === null && listener.kill('SIGTERM')) await ended;
    }
    await rm(join(home, 'drops'), { recursive: true });
  });
});
