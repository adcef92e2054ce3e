import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { storeOfHome } from '../chaos/home.js';
import { needsBrowser, takePicture } from '../support/browser/browser.js';
import { TemporalUi } from '../support/browser/temporalUi.js';
import { partloop, partloopJson } from '../support/cli.js';
import { carStack, importingCars } from '../support/servers/carStack.js';

const linksSchema = z.object({
  overview: z.string(),
  starts: z.array(z.object({ pool: z.string(), link: z.string(), input: z.record(z.string(), z.unknown()) })),
});
const resultsSchema = z.looseObject({
  current: z.looseObject({ results: z.record(z.string(), z.looseObject({ outcome: z.string() })) }),
});
const productionSchema = z.looseObject({ phase: z.string(), nextIteration: z.number() });

/** So small that a whole iteration takes some seconds; a person has to approve its model. */
const DEFAULTS = {
  ...{ chunkSize: 6, evaluationSize: 64, gate: { mode: 'approve' } },
  train: { imageSize: 64, iterations: 4, batchSize: 4 },
};

/**
 * One real stack and its own UI, used as a person uses it; no step is a stand-in. Loop `cars` fails for want of test
 * images, is reset, ends and is approved. Loop `night` fails for want of images to draw, and is retried.
 */
describe('the Temporal UI as control room', function () {
  this.timeout(8 * 60_000);
  const openPage = needsBrowser();
  let home: string;
  let ui: TemporalUi;
  let servers: ReadonlySet<string>;
  let origin: string;
  let store: ObjectStore;
  /** Folder of the pictures of pool `cars`. */
  let cars: string;
  let links: z.infer<typeof linksSchema>;
  let remove = async (): Promise<void> => undefined;

  before(async () => {
    const stack = await carStack('cars', { seed: 6, counts: { train: 12, val: 2, test: 4 } });
    ({ home, remove } = stack);
    cars = dirname(stack.manifest);
    await partloopJson(home, importingCars(stack.manifest, 'vans'));
    store = await storeOfHome(home);
    for (const pool of ['cars', 'vans'])
      await store.put(`pools/${pool}/defaults.json`, JSON.stringify(DEFAULTS), 'application/json');
    links = linksSchema.parse(await partloopJson(home, ['ui']));
    origin = new URL(links.overview).origin;
    const opened = await openPage({ width: 1280, height: 960 });
    ui = new TemporalUi(opened.page, links.overview);
    servers = opened.servers;
  });
  after(() => remove());

  const startOf = (pool: string) => {
    const found = links.starts.find((start) => start.pool === pool);
    assert.ok(found !== undefined, `no link for ${pool}`);
    return found;
  };
  const outcomes = async (loop: string): Promise<Record<string, string>> => {
    const { results } = resultsSchema.parse(await partloopJson(home, ['iteration', 'show', loop, '1'])).current;
    return Object.fromEntries(Object.entries(results).map(([step, { outcome }]) => [step, outcome]));
  };

  /** Take the pictures of a split out of a pool; the result puts them back. */
  async function without(pool: string, split: string): Promise<() => Promise<void>> {
    const opened = await openPool(store, pool);
    const rows = (await opened.readIndex(await opened.latestVersion())).filter((row) => row.split === split);
    const keys = rows.map((row) => row.imageUri);
    const kept = await Promise.all(keys.map(async (key) => [key, (await store.get(key)).body] as const));
    await store.delete(keys);
    return async () => {
      for (const [key, body] of kept) await store.put(key, body, 'image/png');
    };
  }

  it('says which fields of a start are wrong, and what they may be', async () => {
    await ui.start(startOf('cars').link, { pool: 'cars', chunkSize: 'many', chunksize: 3 });
    const result = ui.page.locator('.cm-content').last();
    await result.getByText('is not valid').waitFor();
    const text = await result.innerText();
    assert.match(text, /field `chunkSize`: \\"many\\" is not allowed; allowed: integer 1–1000000/);
    assert.match(text, /field `chunksize`: there is no such field; did you mean `chunkSize`\?/);
    assert.doesNotMatch(text, /at startLoop/);
    await ui.page.getByRole('button', { name: 'Reset', exact: true }).first().waitFor();
    await takePicture(ui.page, 'wrong-field', 690);
  });

  it('says which pool a start may name, if it names none of several', async () => {
    await ui.start(startOf('vans').link, {});
    const result = ui.page.locator('.cm-content').last();
    await result.getByText('field `pool` is needed: pools: cars, vans').waitFor();
    const { stdout } = await partloop(home, ['ui', 'vans']);
    assert.match(stdout, /or give \{"pool":"vans"\}:/);
  });

  it('starts a loop with the least that its link asks for, and leads to its page', async () => {
    const restore = await without('cars', 'test');
    try {
      await ui.fillStart(startOf('cars').link, { pool: 'cars' });
      await takePicture(ui.page, 'ui-start', 850);
      await ui.sendStart();
      await ui.detailsSaying('start:cars', /Loop cars: started, 1 to do/);
      const loop = await ui.follow('Open the loop');
      await loop.getByRole('heading', { name: 'loop:cars' }).waitFor();
      await loop.close();
      const details = await ui.detailsSaying('loop:cars', /running, iteration 1/);
      assert.match(details, /"chunkSize": 6/);
      await ui.detailsSaying('loop:cars', /failed, 1 to go/);
    } finally {
      await restore();
    }
  });

  it('goes on with a failed iteration that is reset: its finished steps are found done', async () => {
    const id = 'loop:cars:iteration:0001';
    assert.deepEqual(Object.keys(await outcomes('cars')), ['draw', 'scan', 'sample', 'train']);
    await ui.reset(id, 'the test images are back');
    await takePicture(ui.page.getByRole('dialog'), 'ui-reset');
    await ui.confirmReset();
    const details = await ui.detailsSaying('loop:cars', /idle, 0 to go/);
    assert.doesNotMatch(details, /Last error/);
    const { draw, scan, sample, train, evaluate } = await outcomes('cars');
    assert.deepEqual([draw, scan, sample, train, evaluate], ['hit', 'hit', 'hit', 'hit', 'miss']);
  });

  it('puts a model into production that waits for approval', async () => {
    await ui.detailsSaying('loop:cars:iteration:0001', /waits for approval.*approveIteration/);
    await ui.openUpdates('loop:cars');
    await takePicture(ui.page.getByRole('dialog'), 'ui-updates');
    await ui.fillUpdate('approveIteration', { iteration: 1, by: 'kim' });
    await takePicture(ui.page.getByRole('dialog'), 'ui-approve');
    assert.equal(await ui.submit(), null);
    const again = await partloopJson(home, ['iteration', 'approve', 'cars', '1', '--by', 'somebody else']);
    assert.match(JSON.stringify(again), /approved by kim/);
  });

  it('starts a loop with some fields of its own, and shows why it failed and what to do', async () => {
    const restore = await without('vans', 'train');
    try {
      await ui.start(startOf('vans').link, { ...startOf('vans').input, loop: 'night', chunkSize: 4 });
      const details = await ui.detailsSaying('loop:night', /failed, 1 to go/);
      assert.match(details, /none of the 4 drawn images is where pool vans says.*is missing\. Check that/s);
      assert.match(details, /The update retryIteration with \{\} does the same/);
      assert.doesNotMatch(details, /report open/);
      await takePicture(ui.page, 'ui-failed', 800);
      const refused = await ui.update('loop:night', 'approveIteration', {});
      assert.match(refused ?? '', /has no decision yet\. `partloop iteration show night 1`/);
      assert.doesNotMatch(refused ?? '', /failures\.ts/);
    } finally {
      await restore();
    }
  });

  it('retries a failed iteration by an update, which goes on', async () => {
    assert.equal(await ui.update('loop:night', 'retryIteration', {}), null);
    await ui.detailsSaying('loop:night:iteration:0001', /draw\s+miss/);
    const refused = await ui.update('loop:night', 'retryIteration', {});
    assert.match(
      refused ?? '',
      /(1 is running, so nothing can be done again now|nothing failed, so there is nothing to retry)\.\s/,
    );
  });

  it('starts the ingest of an inbox, and shows what became of each drop', async () => {
    await partloopJson(home, ['ingest', 'send', 'cars', cars]);
    const form = { workflowType: 'startIngest', taskQueue: 'partloop', workflowId: 'ingest:cars' };
    await ui.start(`${links.overview}/start-workflow?${new URLSearchParams(form)}`, { pool: 'cars' });
    const details = await ui.detailsSaying('pool:cars:ingest', /1 drop settled, 0 images added, 4 refused/);
    assert.match(details, /drop\s+outcome\s+images/);
    // The pool has all of them, and a drop may bring no test image.
    assert.match(details, /taken\s+14 known, 4 refused/);
    await takePicture(ui.page, 'ui-ingest', 640);
  });

  it('has a page for each schedule, which triggers it', async () => {
    await partloopJson(home, ['schedule', 'create', 'nightly', '--pool', 'vans', '--loop', 'night', '--every', '12h']);
    await ui.openSchedule('start-loop:nightly');
    await ui.trigger();
    await takePicture(ui.page, 'ui-schedule', 700);
    await ui.page
      .getByRole('link', { name: /^start:nightly/ })
      .first()
      .click();
    await ui.page.waitForURL(/\/timeline/);
    assert.ok(await ui.shownDetails(/Loop night: (queued|started), 1 to do/));
  });

  it('lists what belongs to a loop, and stops it', async () => {
    assert.equal(await ui.update('loop:night', 'stop', { now: true }), null);
    await ui.openList("PartloopLoop = 'night'");
    const listed = (await ui.listed()).join('\n');
    for (const words of [/trainingLoop/, /loopIteration/, /startLoop/]) assert.match(listed, words);
    assert.doesNotMatch(listed, /cars/);
    await takePicture(ui.page, 'ui-list', 560);
    const { phase } = productionSchema.parse(await partloopJson(home, ['loop', 'status', 'night']));
    assert.match(phase, /stopp/);
  });

  it('shows details of any length, such as a loop after many iterations', async () => {
    const words = `the end of ${'a long table '.repeat(3_000)}`;
    await ui.page.goto(`${origin}/render?${new URLSearchParams({ content: words })}`);
    assert.match(await ui.page.locator('body').innerText(), /a long table\s*$/);
  });

  it('asks no other server than its own for anything', () => {
    assert.deepEqual([...servers], [origin]);
  });
});
