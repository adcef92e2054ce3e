import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { storeOf } from '../../cli/environment.js';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { ensureStack, type StackEnvironment } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';

const run = promisify(execFile);
const PREFIX = 'bench/fetch';
const UPLOADS = 8;
const ROUNDS = 5;
const PEER = 'rclone copy';

interface Options {
  objects: number;
  kilobytes: number;
  lanes: number;
}

/** `npm run bench -- fetch`: objects and megabytes per second from S3, beside `rclone copy` from the same server. */
export function fetchCommand(): Command {
  return new Command('fetch')
    .description('Objects and megabytes a second out of S3 beside `rclone copy` from the same server')
    .option('--objects <n>', 'Objects', Number, 3_000)
    .option('--kilobytes <n>', 'Size of each', Number, 150)
    .option('--lanes <n>', 'Objects in flight, for both', Number, 8)
    .action(measure);
}

interface Rate {
  path: string;
  seconds: number;
}

async function measure({ objects, kilobytes, lanes }: Options): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const env = await ensureStack();
  const store = storeOf(env);
  const keys = Array.from({ length: objects }, (_, index) => `${PREFIX}/${index}.bin`);
  say(`Writing ${objects} objects of ${kilobytes} kB …`);
  const body = new Uint8Array(kilobytes * 1_024);
  await forEachLimited(keys, UPLOADS, async (key) => {
    randomFillSync(body.subarray(0, 64));
    await store.put(key, Uint8Array.from(body));
  });
  const rates: Rate[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'partloop-fetch-'));
  try {
    // In turn, so that a warm cache of the server serves all equally.
    say('a first round that does not count: a worker of days has its code compiled …');
    await fetchAll(store, keys, lanes);
    await forEachLimited(keys, lanes, (key) => store.getFile(key, join(folder, 'ours', key)));
    for (let round = 0; round < ROUNDS; round++) {
      say(`round ${round + 1} of ${ROUNDS} …`);
      rates.push({ path: 'partloop, into memory', seconds: await timed(() => fetchAll(store, keys, lanes)) });
      rates.push({
        path: 'partloop, onto disk',
        seconds: await timed(() => forEachLimited(keys, lanes, (key) => store.getFile(key, join(folder, 'ours', key)))),
      });
      const rclone = await rcloneSeconds(env, join(folder, `rclone-${round}`), lanes);
      if (rclone !== null) rates.push({ path: PEER, seconds: rclone });
      await rm(join(folder, 'ours'), { recursive: true, force: true });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    await store.delete(keys);
  }
  if (!rates.some(({ path }) => path === PEER)) say('rclone is not installed: nothing to compare with.');
  const secondsOf = (path: string): number[] =>
    rates.filter((rate) => rate.path === path).map(({ seconds }) => seconds);
  const peer = secondsOf(PEER);
  const rows = [...new Set(rates.map(({ path }) => path))].map((path) => {
    const own = secondsOf(path);
    const seconds = median(own);
    return {
      path,
      'objects/s': fixed(objects / seconds, 0),
      'MB/s': fixed((objects * kilobytes) / 1_024 / seconds, 1),
      'times rclone':
        peer.length === 0 ? null : fixed(median(own.map((value, round) => (peer[round] ?? 0) / value)), 2),
      'median of': ROUNDS,
    };
  });
  printText(`\n${markdownTable(rows)}`);
  const file = await writeResults(env.home, 'fetch', 'latest', { machine, objects, kilobytes, lanes, rates });
  printText(`\n${file}`);
}

/** Of an odd number of values. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) / 2] ?? Number.NaN;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

const fetchAll = (store: ObjectStore, keys: readonly string[], lanes: number): Promise<void> =>
  forEachLimited(keys, lanes, async (key) => {
    await store.get(key);
  });

/** null if rclone is not installed. Credentials go by environment, never by arguments. */
async function rcloneSeconds(env: StackEnvironment, folder: string, transfers: number): Promise<number | null> {
  await mkdir(folder, { recursive: true });
  const { endpoint, credentials, region, uri } = env.store;
  const variables = {
    PATH: process.env.PATH,
    HOME: folder,
    RCLONE_CONFIG_BENCH_TYPE: 's3',
    RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
    RCLONE_CONFIG_BENCH_ENDPOINT: endpoint ?? '',
    RCLONE_CONFIG_BENCH_REGION: region,
    RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: credentials?.accessKeyId ?? '',
    RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: credentials?.secretAccessKey ?? '',
  };
  const source = `bench:${uri.replace('s3://', '')}/${PREFIX}`;
  const options = ['--transfers', String(transfers), '--checkers', String(transfers)];
  try {
    return await timed(() => run('rclone', ['copy', source, folder, ...options], { env: variables }));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
