import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import type { Rejection } from '../../domain/ingest/receipt.js';
import type { RefusedItem } from '../../formats/reading/importItem.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { forEachLimited } from '../../storage/parallel.js';
import { writeJson } from '../../storage/tables/json.js';
import type { DropFiles } from './dropFiles.js';

const IN_PARALLEL = 6;
const STRAY = 'no label of the drop names it';
const STAYS = 'it stays in the inbox: make it readable, and send it again with its label';

interface Rejecting {
  pool: string;
  drop: string;
  arrival: string;
  refused: readonly RefusedItem[];
  strays: readonly string[];
  /** Files that an image in the pool came from: only the reason is written of them. */
  used: ReadonlySet<string>;
  files: DropFiles;
  now: Date;
  signal: AbortSignal | undefined;
}

/**
 * Copy what was not taken out of a drop, and write the reason beside each file. Keys follow from the arrival, so that a
 * second try writes the same objects. Of a file that cannot be read only the reason is written.
 *
 * @returns the folder, null if everything was taken; and the files that cannot be read, which must not be deleted
 */
export async function keepRejected(
  store: ObjectStore,
  rejecting: Rejecting,
): Promise<{ folder: string | null; unreadable: ReadonlySet<string> }> {
  const { pool, drop, arrival, refused, strays, used, now, signal } = rejecting;
  const unreadable = new Set<string>();
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
        if (used.has(path)) return say(path, path, reason);
        const copy = join(scratch, String(index));
        try {
          await store.getFile(`${keys.drop(pool, drop)}${path}`, copy);
        } catch (cause) {
          const fault = await rejecting.files.faultOf(path, cause);
          if (!(fault instanceof PartloopError) || fault.code !== 'data-invalid') throw fault;
          unreadable.add(path);
          return say(path, path, `${reason === STRAY ? fault.message : reason}; ${STAYS}`);
        }
        await store.putFile(`${folder}${path}`, copy);
        await rm(copy, { force: true });
        return say(path, path, reason);
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
  return { folder: files.size + nameless.length === 0 ? null : folder, unreadable };
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
