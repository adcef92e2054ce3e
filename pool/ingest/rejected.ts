import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rejection } from '../../domain/ingest/receipt.js';
import type { RefusedItem } from '../../formats/reading/importItem.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import { writeJson } from '../../storage/tables/json.js';

const IN_PARALLEL = 6;
const STRAY = 'no label of the drop names it';

interface Rejecting {
  pool: string;
  drop: string;
  arrival: string;
  refused: readonly RefusedItem[];
  strays: readonly string[];
  /** Files that an image in the pool came from: only the reason is written of them. */
  used: ReadonlySet<string>;
  now: Date;
  signal: AbortSignal | undefined;
}

/**
 * Copy what was not taken out of a drop, and write the reason beside each file. Keys follow from the arrival, so that a
 * second try writes the same objects.
 *
 * @returns the folder; null if everything was taken
 */
export async function keepRejected(store: ObjectStore, rejecting: Rejecting): Promise<string | null> {
  const { pool, drop, arrival, refused, strays, used, now, signal } = rejecting;
  const folder = keys.rejected(pool, drop, arrival);
  const files = new Map<string, string>();
  for (const { reason, origin } of refused) for (const path of origin?.files ?? []) files.set(path, reason);
  for (const path of strays) files.set(path, STRAY);
  const say = (at: string, file: string, reason: string) =>
    writeJson(store, `${folder}${at}.reason.json`, {
      ...{ pool, drop, arrival, file, reason, rejectedAt: now.toISOString() },
    } satisfies Rejection);
  const scratch = await mkdtemp(join(tmpdir(), 'partloop-rejected-'));
  try {
    await forEachLimited(
      [...files],
      IN_PARALLEL,
      async ([path, reason], index) => {
        if (!used.has(path)) {
          const copy = join(scratch, String(index));
          await store.getFile(`${keys.drop(pool, drop)}${path}`, copy);
          await store.putFile(`${folder}${path}`, copy);
          await rm(copy, { force: true });
        }
        await say(path, path, reason);
      },
      signal,
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const nameless = refused.filter(({ origin }) => (origin?.files.length ?? 0) === 0);
  await forEachLimited(
    nameless,
    IN_PARALLEL,
    // There is no file: the name may be anything.
    ({ fileName, reason }, index) => say(`without-file/${String(index + 1).padStart(6, '0')}`, fileName, reason),
    signal,
  );
  return files.size + nameless.length === 0 ? null : folder;
}

/** Say why nothing of a drop was taken; its files stay where they are. */
export async function rejectDrop(
  store: ObjectStore,
  { pool, drop, arrival, reason, now }: { pool: string; drop: string; arrival: string; reason: string; now: Date },
): Promise<string> {
  const folder = keys.rejected(pool, drop, arrival);
  await writeJson(store, `${folder}_DROP.reason.json`, {
    ...{ pool, drop, arrival, file: '', reason, rejectedAt: now.toISOString() },
  } satisfies Rejection);
  return folder;
}
