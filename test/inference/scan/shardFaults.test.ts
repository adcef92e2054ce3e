import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ShardInput } from '../../../inference/scan/scanSetup.js';
import { readShard, type ShardEntry, shardKey } from '../../../inference/scan/shardObject.js';
import { LOCAL_BUCKET } from '../../../infra/services/seaweed.js';
import { readJson } from '../../../storage/tables/json.js';
import { canCrash, type Fault, hasPython, PYTHON, writeFaulty } from '../../support/models/tinyModel.js';
import { TAXONOMY } from '../../support/pictures/pictures.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { SIDE, storeShard } from './faultyShard.js';

const MAIN = fileURLToPath(new URL('./shardMain.js', import.meta.url));
/** More attempts than any of these shards needs. */
const MOST_ATTEMPTS = 6;
const failureSchema = z.object({ code: z.string(), message: z.string(), retired: z.boolean() });

interface Attempt {
  signal: string | null;
  failure: z.infer<typeof failureSchema> | null;
}

describe('a shard that takes its worker down', function () {
  this.timeout(240_000);
  let folder: string;
  let server: TestStore;

  before(async function () {
    if (!hasPython || !canCrash) {
      console.log(
        `      skipped: ${hasPython ? 'only x64 processors crash so' : `${PYTHON} is missing; npm run bootstrap installs it`}`,
      );
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
    server = await startTestStore();
  });
  after(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function attempt(prefix: string, input: ShardInput, modelDigest?: string): Promise<Attempt> {
    const store = { ...server.options, uri: `s3://${LOCAL_BUCKET}/${prefix}` };
    const child = spawn(process.execPath, [MAIN, JSON.stringify({ store, home: folder, input, modelDigest })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    const [, signal] = await once(child, 'close');
    return { signal, failure: said === '' ? null : failureSchema.parse(JSON.parse(said)) };
  }

  /** Attempts as the server would make them: until one succeeds, or fails for good. */
  async function scanned(
    prefix: string,
    faults: readonly Fault[],
    { always, note }: { always?: Fault; note?: object } = {},
  ): Promise<{ attempts: Attempt[]; entries: ShardEntry[]; left: string[] }> {
    const store = server.open(prefix);
    const name = `${always ?? 'faulty'}.onnx`;
    const model = await writeFaulty(join(folder, name), SIDE, TAXONOMY.classes.length, always);
    const { input, key: digest } = await storeShard(store, model, faults);
    const key = shardKey(input.planKey, 0, digest);
    if (note !== undefined) await store.put(`${key}.in-hand.json`, JSON.stringify(note));
    const attempts: Attempt[] = [];
    while (attempts.length < MOST_ATTEMPTS && (await store.head(key)) === null) {
      attempts.push(await attempt(prefix, input));
      if (attempts.at(-1)?.failure?.code === 'model-invalid') break;
    }
    const left: string[] = [];
    for await (const object of store.list(key.slice(0, key.lastIndexOf('/')))) left.push(object.key);
    return { attempts, entries: (await store.head(key)) === null ? [] : await readShard(store, key), left };
  }

  const good: Fault[] = Array.from({ length: 8 }, () => 'none');

  it('goes on without such pictures, which are named, and judges the rest as if they were absent', async () => {
    const clean = await scanned('clean', good);
    assert.deepEqual([clean.attempts.length, clean.left.length], [1, 1]);
    assert.ok(clean.entries.every(({ error }) => error === null));

    const faults: Fault[] = [...good.slice(0, 4), 'crash', ...good.slice(4), 'hang', 'nan'];
    const { attempts, entries, left } = await scanned('faults', faults);
    const reasons = [
      /^crash-4\.png ended the process that judged it 3 times \(SIG[A-Z]+\)$/,
      /^hang-9\.png ended the process that judged it 3 times \(no answer within \d+ s\)$/,
      /cannot judge nan-10\.png: it gives no number/,
    ];
    assert.equal(entries.length, faults.length);
    for (const [at, n] of [4, 9, 10].entries()) {
      assert.equal(entries[n]?.analysis, null);
      assert.match(entries[n]?.error ?? '', reasons[at] as RegExp);
    }
    // Blue is the number of the picture: those before the first fault are equal to the clean ones, byte by byte.
    assert.deepEqual(entries.slice(0, 4), clean.entries.slice(0, 4));
    assert.ok(entries.slice(5, 9).every(({ error, analysis }) => error === null && analysis !== null));
    assert.equal(left.length, 1, 'no note is left behind');
    assert.ok(attempts.length <= 3, JSON.stringify(attempts));
  });

  it('says on which picture a network hangs, retires its worker, and goes on in a separate process', async () => {
    const { attempts, entries } = await scanned('hung', ['none', 'hang', 'none', 'none']);
    const [first, ...more] = attempts;
    assert.equal(first?.failure?.code, 'inference-stalled');
    assert.equal(first?.failure?.retired, true);
    assert.match(first?.failure?.message ?? '', /^models\/scan\.onnx gave no answer for hang-1\.png within \d+ s$/);
    assert.equal(more.length, 1);
    assert.deepEqual(
      entries.map(({ error }) => error?.split(' ')[0] ?? null),
      [null, 'hang-1.png', null, null],
    );
  });

  it('is refused with its model if every picture does so', async () => {
    const { attempts, entries } = await scanned('model', good, { always: 'crash' });
    assert.equal(attempts.length, 2);
    assert.match(attempts[0]?.signal ?? '', /^SIG/);
    assert.equal(attempts[1]?.failure?.code, 'model-invalid');
    assert.match(attempts[1]?.failure?.message ?? '', /models\/scan\.onnx ended the process that ran it for each of 3/);
    assert.deepEqual(entries, []);
  });

  it('is judged in a separate process after three unexplained attempts, with the same result', async () => {
    const note = { version: 1, ended: 3, hand: [], leftOut: {} };
    const { attempts, entries } = await scanned('unexplained', good, { note });
    assert.equal(attempts.length, 1);
    assert.deepEqual(entries, (await scanned('clean', good)).entries);
  });

  it('is refused if its model has no answer for more than a few pictures', async () => {
    const { attempts } = await scanned('nan', ['nan', 'nan', 'nan', 'none', 'none']);
    assert.equal(attempts[0]?.failure?.code, 'model-invalid');
    assert.match(attempts[0]?.failure?.message ?? '', /cannot judge 3 of 5 pictures; the first: .*nan-\d\.png/);
  });

  it('leaves such a picture out of an evaluation by name, and never counts one without an answer', async () => {
    for (const [faults, reason, most] of [
      [['none', 'none', 'none', 'crash'], /crash-3\.png ended the process that judged it 3 times \(SIG/, 2],
      [['none', 'none', 'none', 'hang'], /hang-3\.png ended the process that judged it 3 times \(no answer/, 2],
    ] as const) {
      const { attempts, leftOut } = await evaluated(faults);
      assert.ok(attempts.length <= most, JSON.stringify(attempts));
      assert.match(leftOut[0]?.reason ?? '', reason);
      assert.equal((await evaluated(faults)).attempts.length, 1, 'asked again, it takes no process down again');
    }
    for (const [faults, message] of [
      [['none', 'none', 'none', 'nan'], /cannot judge nan-3\.png: it gives no number/],
      [['nan', 'nan', 'nan', 'none'], /cannot judge 3 of 4 pictures that it was tried on/],
    ] as const) {
      const { attempts, leftOut } = await evaluated(faults);
      assert.match(attempts[0]?.failure?.message ?? '', message);
      assert.deepEqual([attempts.length, leftOut], [1, []]);
    }
  });

  /** Attempts until one succeeds or fails for good, and the images that the evaluation lacks. */
  async function evaluated(
    faults: readonly Fault[],
  ): Promise<{ attempts: Attempt[]; leftOut: readonly { reason: string }[] }> {
    const prefix = `evaluation-${faults.join('-')}`;
    const store = server.open(prefix);
    const model = await writeFaulty(join(folder, 'faulty.onnx'), SIDE, TAXONOMY.classes.length);
    const { input, key: digest } = await storeShard(store, model, faults);
    const attempts: Attempt[] = [];
    for (let last: Attempt | undefined; attempts.length < MOST_ATTEMPTS; ) {
      last = await attempt(prefix, input, digest);
      attempts.push(last);
      if (last.signal === null || ['answer-invalid', 'model-invalid'].includes(last.failure?.code ?? '')) break;
    }
    for await (const { key } of store.list('evaluations/'))
      if (key.endsWith('/summary.json')) return { attempts, ...(await readJson(store, key, summarySchema)) };
    return { attempts, leftOut: [] };
  }
});

const summarySchema = z.looseObject({ leftOut: z.array(z.looseObject({ reason: z.string() })) });
