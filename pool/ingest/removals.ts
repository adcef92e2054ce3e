import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type RemovalOutcome, type RemovalRequest, removalRequestSchema } from '../../domain/ingest/removals.js';
import type { IndexRow } from '../../domain/tables.js';
import { parseJsonText } from '../../formats/jsonFile.js';
import type { Pool } from '../../storage/pool.js';
import { removeImages } from '../remove/removeImages.js';
import { selectImages } from '../remove/select.js';

const MAX_UNKNOWN = 1_000;

/**
 * Take out of the pool what a client asks for. Nothing is deleted, so that a mistake can be taken back; `next` is the
 * command that deletes the bytes. More than `largest` images at once wait for a person.
 *
 * @param removal names the removal: asked again under the same name, it answers the same
 * @param listed `s3://` URI of the request, for the command
 */
export async function applyRemovals(
  pool: Pool,
  body: Uint8Array,
  { largestShare, removal, listed, now }: { largestShare: number; removal: string; listed: string; now: Date },
): Promise<RemovalOutcome> {
  const request = parseRequestFile(body);
  const none = { asked: 0, removed: 0, removal: null, unknown: [], next: null };
  if (typeof request === 'string') return { ...none, outcome: 'invalid', reason: request };
  const { images, vehicles, reason } = request;
  const history = await pool.history();
  const wanted = new Set(vehicles);
  const ofVehicles = [...history.present(), ...history.removed()].filter(
    ({ vehicleId }) => vehicleId !== null && wanted.has(vehicleId),
  );
  const { present, removed, unknown, ambiguous } = selectImages(history, pool.taxonomy, {
    names: images,
    conditions: [],
  });
  const isOurs = ({ removedAt, changeId }: IndexRow): boolean => removedAt !== null && changeId === removal;
  const all = new Map([...present, ...removed, ...ofVehicles].map((row) => [row.imageId, row]));
  const done = [...all.values()].filter(isOurs);
  const open = [...all.values()].filter(({ removedAt }) => removedAt === null);
  const facts = {
    ...{ asked: images.length + vehicles.length, reason },
    unknown: [...unknown, ...ambiguous.map(({ name }) => name)].slice(0, MAX_UNKNOWN),
  };
  const inPool = [...history.present()].length;
  const limit = Math.ceil(largestShare * (inPool + done.length));
  const command = `partloop pool remove ${pool.name} ${images.length > 0 ? `--images ${listed} --list images` : `--where vehicleId=…`}`;
  if (done.length === 0 && open.length > limit)
    return {
      ...{ ...none, ...facts, outcome: 'too-many', next: `${command} --yes` },
      reason: `${open.length} images are more than the ${limit} that a request may take out by itself; ${reason}`,
    };
  await removeImages(
    pool,
    open.map(({ imageId }) => imageId),
    { purge: false, now, id: removal },
  );
  const count = done.length + open.length;
  return {
    ...{ ...facts, outcome: 'removed', removed: count, removal: count === 0 ? null : removal },
    next: count === 0 ? null : `${command} --bytes --yes`,
  };
}

function parseRequestFile(body: Uint8Array): RemovalRequest | string {
  try {
    const { data, problem } = check(
      removalRequestSchema,
      parseJsonText(new TextDecoder().decode(body), 'removals.json'),
    );
    return problem === null ? data : problem;
  } catch (error) {
    if (error instanceof PartloopError) return error.message;
    throw error;
  }
}
