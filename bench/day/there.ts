import type { Client } from '@temporalio/client';
import sharp from 'sharp';
import { z } from 'zod';
import { iterationWorkflowId } from '../../domain/base/ids.js';
import type { BenchmarkRegistry } from '../../domain/decide/decision.js';
import type { Receipt } from '../../domain/ingest/receipt.js';
import type { LoopState } from '../../domain/loop/state.js';
import { outputOf } from '../../domain/stepContract.js';
import { chunkRowSchema, type IndexRow } from '../../domain/tables.js';
import { listReceipts, lookIntoInbox } from '../../pool/ingest/inbox.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import { openPool } from '../../storage/pool/pool.js';
import { readRegistry } from '../../storage/registry.js';
import { parseJson } from '../../storage/tables/json.js';
import { readTable } from '../../storage/tables/table.js';
import { sha256 } from './cars.js';

const IN_PARALLEL = 8;

/** An image of the pool, its objects read back. */
export interface PoolImage {
  imageId: string;
  /** The arrival that brought it; null for an import by hand. */
  importedBy: string | null;
  /** Rows of the index that say that it is new. */
  imports: number;
  split: IndexRow['split'];
  ingestedAt: string;
  removedAt: string | null;
  /** Of the object's bytes. */
  bytesSha256: string;
  /** Of the label's values, row by row. */
  labelSha256: string;
}

export interface RejectedFile {
  drop: string;
  arrival: string;
  /** Path in the drop; the name in the labels if there was no such file. */
  path: string;
  /** null if only the reason is there. */
  sha256: string | null;
  reason: string | null;
}

export interface IterationThere {
  iteration: number;
  status: 'finished' | 'failed';
  failedAttempts: number;
  /** Ids of the images that it drew. */
  images: string[];
  startedAt: string;
  endedAt: string;
  gate: string | null;
  miou: number | null;
}

/** What is there at the end of the day: the other side of the account. */
export interface There {
  images: PoolImage[];
  receipts: Receipt[];
  /** Arrivals that are not settled. */
  open: { drop: string; arrival: string }[];
  rejected: RejectedFile[];
  /** Keys below the inbox. */
  inbox: string[];
  iterations: IterationThere[];
  /** Iterations whose models went into production, the oldest first. */
  production: number[];
}

/** Read back what a day left in the store and in Temporal. */
export async function readThere(store: ObjectStore, client: Client, pool: string, loop: string): Promise<There> {
  const { iterations } = await readLoopState(store, loop);
  return {
    ...(await readPoolThere(store, pool)),
    iterations: await Promise.all(iterations.map((each) => iterationThere(store, client, loop, each))),
    production: await production(store, pool, loop),
  };
}

/** The part of it that is the pool's. */
export async function readPoolThere(
  store: ObjectStore,
  pool: string,
): Promise<Omit<There, 'iterations' | 'production'>> {
  const { drops } = await lookIntoInbox(store, pool);
  return {
    images: await poolImages(store, pool),
    receipts: (await listReceipts(store, pool)).reverse(),
    open: drops.flatMap(({ drop, state }) => (state?.phase === 'open' ? [{ drop, arrival: state.arrival }] : [])),
    rejected: await rejectedFiles(store, pool),
    inbox: await keysBelow(store, keys.inbox(pool)),
  };
}

async function poolImages(store: ObjectStore, pool: string): Promise<PoolImage[]> {
  const history = await (await openPool(store, pool)).history();
  const rows = [...history.present(), ...history.removed()];
  const imports = new Map<string, number>();
  for (const { imageId, change } of history.rows())
    if (change === 'import') imports.set(imageId, (imports.get(imageId) ?? 0) + 1);
  const images: PoolImage[] = [];
  await forEachLimited(rows, IN_PARALLEL, async ({ imageId, split, removedAt, imageUri, labelUri }, index) => {
    const [first] = history.revisions(imageId);
    images[index] = {
      ...{ imageId, split, removedAt, importedBy: first?.changeId ?? null, ingestedAt: first?.ingestedAt ?? '' },
      imports: imports.get(imageId) ?? 0,
      bytesSha256: await bytesOf(store, imageUri),
      labelSha256: await labelOf(store, labelUri),
    };
  });
  return images;
}

const bytesOf = async (store: ObjectStore, key: string): Promise<string> => {
  const object = await store.tryGet(key);
  return object === null ? 'missing' : sha256(object.body);
};

/** Decoded by another program than the one that wrote it. */
async function labelOf(store: ObjectStore, key: string): Promise<string> {
  const object = await store.tryGet(key);
  if (object === null) return 'missing';
  const { data, info } = await sharp(object.body).raw().toBuffer({ resolveWithObject: true });
  return sha256(data.filter((_, at) => at % info.channels === 0));
}

const rejectionSchema = z.object({ file: z.string(), reason: z.string() });
const REASON = '.reason.json';
const WITHOUT_FILE = 'without-file/';

async function rejectedFiles(store: ObjectStore, pool: string): Promise<RejectedFile[]> {
  const prefix = keys.rejectedPrefix(pool);
  const found = new Map<string, RejectedFile>();
  const at = (key: string): RejectedFile => {
    const [drop = '', arrival = '', ...rest] = key.slice(prefix.length).split('/');
    const known = found.get(key) ?? { drop, arrival, path: rest.join('/'), sha256: null, reason: null };
    found.set(key, known);
    return known;
  };
  for (const key of await keysBelow(store, prefix)) {
    const { body } = await store.get(key);
    if (!key.endsWith(REASON)) {
      at(key).sha256 = sha256(body);
      continue;
    }
    const { file, reason } = parseJson(body, key, rejectionSchema);
    const entry = at(key.slice(0, -REASON.length));
    entry.reason = reason;
    if (entry.path.startsWith(WITHOUT_FILE)) entry.path = file;
  }
  return [...found.values()];
}

async function keysBelow(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

async function iterationThere(
  store: ObjectStore,
  client: Client,
  loop: string,
  { iteration, current, others }: LoopState['iterations'][number],
): Promise<IterationThere> {
  const runs = await Promise.all(
    [...others, current].map(({ runId }) =>
      client.workflow.getHandle(iterationWorkflowId(loop, iteration), runId).describe(),
    ),
  );
  const times = runs.flatMap(({ startTime, closeTime }) => [startTime, closeTime ?? startTime]).sort((a, b) => +a - +b);
  const { draw, evaluate, decide } = current.results;
  const chunk = draw === undefined ? [] : await readTable(store, outputOf(draw, 'chunk'), chunkRowSchema);
  return {
    ...{ iteration, status: current.status, failedAttempts: others.filter(({ status }) => status === 'failed').length },
    images: chunk.map(({ imageId }) => imageId),
    startedAt: times[0]?.toISOString() ?? '',
    endedAt: times.at(-1)?.toISOString() ?? '',
    ...{ gate: decide?.facts.gate ?? null, miou: evaluate?.facts.miou ?? null },
  };
}

async function production(store: ObjectStore, pool: string, loop: string): Promise<number[]> {
  const { taxonomy } = await openPool(store, pool);
  const { history }: BenchmarkRegistry = await readRegistry(store, digestOf(taxonomy));
  return history.flatMap(({ model }) => (model.loop === loop && model.iteration !== null ? [model.iteration] : []));
}
