import assert from 'node:assert/strict';
import { join } from 'node:path';
import { z } from 'zod';
import { storeOfHome } from '../chaos/home.js';
import { ROOT } from '../support/binaries.js';
import { partloop, partloopJson } from '../support/cli.js';
import { carStack, importingCars } from '../support/servers/carStack.js';
import { atTerminal, CTRL_C } from '../support/terminal.js';

const scheduleSchema = z.object({
  name: z.string(),
  when: z.string(),
  timeZone: z.string(),
  request: z.record(z.string(), z.unknown()),
  paused: z.boolean(),
  next: z.string().nullable(),
  last: z.string().nullable(),
});
const listSchema = z.object({ schedules: z.array(scheduleSchema) });
const statusSchema = z.looseObject({ processes: z.array(z.looseObject({ name: z.string(), pid: z.number() })) });
const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** A stack with the short steps alone: scans and trainings wait for ever. */
describe('commands with a stack', function () {
  this.timeout(4 * 60_000);
  let home: string;
  let manifest: string;
  let remove = async (): Promise<void> => undefined;
  const main = join(ROOT, 'dist', 'cli', 'main.js');
  const at = (args: string[], ...after: string[]) =>
    atTerminal(
      [process.execPath, main, ...args],
      after.map((text) => ({ after: text, type: CTRL_C })),
      { ...process.env, PARTLOOP_HOME: home },
    );
  const schedules = async () => listSchema.parse(await partloopJson(home, ['schedule', 'list'])).schedules;
  const refused = async (args: string[], code: number, words: RegExp): Promise<void> => {
    const answer = await partloop(home, [...args, '--json']);
    assert.equal(answer.code, code, answer.stderr);
    assert.match(errorSchema.parse(JSON.parse(answer.stdout)).error.message, words);
  };

  before(async () => {
    process.env.PARTLOOP_WORKERS = 'light';
    ({ home, manifest, remove } = await carStack('cars', { seed: 8, counts: { train: 8, val: 2, test: 2 } }));
  });
  after(async () => {
    delete process.env.PARTLOOP_WORKERS;
    await remove();
  });

  describe('Ctrl-C at a terminal', () => {
    it('ends the wait for a scan with its message, not the scan', async () => {
      const { code, output } = await at(
        ['scan', 'run', '--pool', 'cars', '--image-size', '64', '--wait'],
        'scan scan-cars',
      );
      assert.match(output, /Stopped waiting\. The scan goes on\.\r\n`partloop scan show scan-cars-\w+` shows it/);
      assert.match(output, /pool cars: 8 of 12 images to judge \(the training split\)/);
      assert.match(output, /judged by 2 folds, each trained for \d+ iterations of \d+ images at 64 pixels/);
      assert.match(output, /at least 0\.5\r\n/);
      assert.equal(code, 130);
    });

    it('ends the wait for a loop with its message, not the loop', async () => {
      const { code, output } = await at(
        ['loop', 'start', 'cars', '--pool', 'cars', '--image-size', '64', '--wait'],
        'iteration 1 ',
      );
      assert.match(output, /Stopped waiting\. The loop goes on\.\r\n`partloop loop status cars` shows it/);
      assert.equal(code, 130);
      const { phase } = z
        .looseObject({ phase: z.string() })
        .parse(await partloopJson(home, ['loop', 'status', 'cars']));
      assert.equal(phase, 'running');
      await partloopJson(home, ['loop', 'stop', 'cars', '--now']);
    });

    it('ends an import with its progress and advice, and at once if pressed twice', async () => {
      const { processes } = statusSchema.parse(await partloopJson(home, ['status']));
      const store = processes.find(({ name }) => name === 's3')?.pid;
      assert.ok(store !== undefined);
      process.kill(store, 'SIGSTOP');
      try {
        const { code, output } = await at(importingCars(manifest, 'others'), 'import', 'Stopping');
        assert.match(output, /import stopped after 0 images\.\r\nRun the same command again to go on/);
        assert.equal(code, 130);
      } finally {
        process.kill(store, 'SIGCONT');
      }
    });
  });

  describe('a running scan', () => {
    const runningSchema = z.strictObject({
      ...{ scan: z.string(), pool: z.string().nullable(), startedAt: z.string(), progress: z.string() },
    });
    const scansSchema = z.object({
      running: z.array(runningSchema),
      unfinished: z.array(z.looseObject({ scan: z.string(), state: z.string() })),
      scans: z.array(z.unknown()),
    });
    const scans = async () => scansSchema.parse(await partloopJson(home, ['scan', 'list']));

    it('is listed with its progress, can be stopped and resumed, and ignores a second stop', async () => {
      const started = z
        .looseObject({ scanId: z.string(), plan: z.looseObject({ images: z.number(), judge: z.string() }) })
        .parse(await partloopJson(home, ['scan', 'run', '--pool', 'cars', '--image-size', '64', '--split', 'val']));
      assert.deepEqual([started.plan.images, started.plan.judge], [2, 'folds']);
      const scan = started.scanId;
      const find = async () => (await scans()).running.find((one) => one.scan === scan);
      const found = await eventually(find);
      assert.equal(found.pool, 'cars');
      assert.match(found.progress, /^(preparing|training folds, 0 of 2 folds trained|waits)/);
      const status = z.looseObject({ scans: z.array(runningSchema) }).parse(await partloopJson(home, ['status']));
      assert.ok(status.scans.some((one) => one.scan === scan));
      assert.match((await partloop(home, ['status'])).stdout, new RegExp(`^${scan} +cars`, 'm'));
      await refused(['scan', 'show', scan], 3, /has no result yet: it runs/);

      const stopped = await partloop(home, ['scan', 'stop', scan]);
      assert.equal(stopped.code, 0, stopped.stderr);
      assert.match(stopped.stderr, new RegExp(`scan ${scan} is stopped.*\n.*scan resume ${scan}\` goes on`));
      const again = z.object({ stopped: z.boolean(), state: z.string() });
      assert.deepEqual(again.parse(await partloopJson(home, ['scan', 'stop', scan])), {
        stopped: false,
        state: 'stopped',
      });
      const said = await partloop(home, ['scan', 'stop', scan]);
      assert.match(said.stderr, /does not run: it is stopped/);
      await eventually(async () => (await scans()).unfinished.find((one) => one.scan === scan));

      await partloopJson(home, ['scan', 'resume', scan]);
      await eventually(find);
      await partloopJson(home, ['scan', 'stop', scan]);
      await refused(['scan', 'stop', 'nope'], 3, /there is no scan `nope`/);
      await refused(['scan', 'resume', 'nope'], 3, /there is no scan `nope`/);
    });
  });

  it('print addresses and the result of a change of rules as one JSON object', async () => {
    const up = z.strictObject({
      home: z.string(),
      temporal: z.strictObject({ address: z.string(), namespace: z.string(), uiUrl: z.string().nullable() }),
      store: z.strictObject({ uri: z.string(), endpoint: z.string().nullable(), region: z.string() }),
      board: z.url(),
    });
    assert.equal(up.parse(await partloopJson(home, ['up', '--detach'])).home, home);
    const rules = z.strictObject({ pool: z.string(), taxonomy: z.string(), changed: z.boolean() });
    assert.deepEqual(rules.parse(await partloopJson(home, ['pool', 'rules', 'cars', 'car-parts-34'])), {
      ...{ pool: 'cars', taxonomy: 'car-parts-34', changed: false },
    });
    const stats = z.looseObject({
      classes: z.array(
        z.strictObject({ class: z.string(), images: z.number(), train: z.number(), val: z.number(), test: z.number() }),
      ),
    });
    const { classes } = stats.parse(await partloopJson(home, ['pool', 'stats', 'cars']));
    for (const { images, train, val, test } of classes) assert.equal(train + val + test, images);
    assert.ok(classes.some(({ train }) => train > 0) && classes.some(({ test }) => test > 0));
  });

  describe('a schedule', () => {
    it('is refused before anything changes if it could never start its loop', async () => {
      await partloopJson(home, [
        'schedule',
        'create',
        'nightly',
        '--pool',
        'cars',
        '--every',
        '12h',
        '--iterations',
        '2',
      ]);
      const before = await schedules();
      const create = ['schedule', 'create', 'nightly'];
      await refused([...create, '--pool', 'vans'], 3, /there is no pool `vans`; pools: cars/);
      await refused([...create, '--cron', '61 3 * * *'], 2, /--cron "61 3 \* \* \*": Minute is not in range/);
      await refused([...create, '--cron', 'hello'], 2, /--cron "hello": CronString does not have/);
      await refused([...create, '--cron', '0 0 31 2 *'], 2, /this time never comes/);
      await refused([...create, '--batch-size', '1', '--image-size', '32'], 2, /batch norm/);
      await refused([...create, '--preset', 'swin_tiny'], 2, /train\.weights/);
      await refused(['schedule', 'create', 'never', '--cron', '0 0 31 2 *'], 2, /this time never comes/);
      assert.deepEqual(await schedules(), before);
    });

    it('changes only the given options, and lists the changes', async () => {
      const answer = await partloop(home, ['schedule', 'create', 'nightly', '--paused']);
      assert.match(answer.stderr, /schedule nightly updated\n {2}paused: false → true\n/);
      const args = ['--cron', '30 3 * * MON', '--time-zone', 'Europe/Berlin', '--set', 'train.iterations=50'];
      const changed = await partloop(home, ['schedule', 'create', 'nightly', ...args]);
      assert.match(changed.stderr, /when: every 12h → 30 3 \* \* MON\n {2}time zone: UTC → Europe\/Berlin\n/);
      const [found] = await schedules();
      assert.deepEqual(
        { ...found, next: null },
        {
          ...{ name: 'nightly', when: '30 3 * * MON', timeZone: 'Europe/Berlin', paused: true, next: null, last: null },
          request: { pool: 'cars', iterations: 2, settings: { train: { iterations: 50 } } },
        },
      );
      assert.match(found?.next ?? '', /^\d{4}-.*Z$/);
    });

    it('is steered by its name, and an unknown name gets the list of existing ones', async () => {
      for (const command of ['trigger', 'pause', 'resume', 'delete'])
        await refused(['schedule', command, 'nope'], 3, /there is no schedule `nope`; schedules: nightly/);
      await partloopJson(home, ['schedule', 'resume', 'nightly']);
      await partloopJson(home, ['schedule', 'trigger', 'nightly']);
      const [found] = await schedules();
      assert.equal(found?.paused, false);
      await partloopJson(home, ['schedule', 'delete', 'nightly']);
      await refused(['schedule', 'pause', 'nightly'], 3, /there is none yet/);
    });
  });

  it('refuse to wake, steer or show a loop that does not exist, and create none', async () => {
    for (const command of ['retry', 'adopt', 'stop', 'pause', 'resume', 'status'])
      await refused(['loop', command, 'nope'], 3, /there is no loop `nope`; /);
    await refused(['iteration', 'replay', 'nope', '1', '--from', 'train'], 3, /loop `nope` has recorded no iteration/);
    await refused(['scan', 'run', '--pool', 'nope'], 3, /there is no pool `nope`; pools: cars/);
    await refused(
      ['scan', 'run', '--pool', 'cars', '--split', 'val', '--cross-validate', '3'],
      3,
      /has 2 images to judge \(the validation split\), and 3 folds need at least 3/,
    );
    await refused(['scan', 'run', '--pool', 'cars', '--batch-size', '1', '--image-size', '32'], 2, /batch norm/);
    const { loops } = z
      .object({ loops: z.array(z.looseObject({ loop: z.string() })) })
      .parse(await partloopJson(home, ['loop', 'status']));
    assert.ok(!loops.some(({ loop }) => loop === 'nope'));
  });

  describe('the defaults of a pool', () => {
    it('stop loops that begin with a bad edit, with the name of the file, and no others', async () => {
      await (await storeOfHome(home)).put('pools/cars/defaults.json', '{"train": 400', 'application/json');
      const stats = z.looseObject({ defaultsProblem: z.string() });
      const { defaultsProblem } = stats.parse(await partloopJson(home, ['pool', 'stats', 'cars']));
      assert.match(defaultsProblem, /pools\/cars\/defaults\.json is not valid: it is not a JSON object/);
      await refused(['loop', 'start', 'other', '--pool', 'cars'], 2, /pools\/cars\/defaults\.json is not valid/);
      await (await storeOfHome(home)).put(
        'pools/cars/defaults.json',
        '{"train": {"imageSize": 33}}',
        'application/json',
      );
      await refused(
        ['loop', 'start', 'other', '--pool', 'cars'],
        2,
        /defaults\.json is not valid: field `train\.imageSize`: 33 is not/,
      );
    });
  });
});

/** Listings of the service lag behind by some moments. */
async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error('it was not listed in time');
}
