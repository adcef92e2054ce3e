import { check } from '../../domain/base/checked.js';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type RemovalOutcome, type RemovalRequest, removalRequestSchema } from '../../domain/ingest/removals.js';
import type { IngestRules } from '../../domain/ingest/rules.js';
import type { IndexRow } from '../../domain/tables.js';
import { parseJsonText } from '../../formats/reading/jsonFile.js';
import type { Pool } from '../../storage/pool/pool.js';
import { removeImages } from '../remove/removeImages.js';
import { selectImages } from '../remove/select.js';

const MAX_UNKNOWN = 1_000;

interface RemovalTerms {
  /** Share of the pool that requests may take out by themselves within a day. */
  largestShare: number;
  /** Whether they may take out test images. */
  testImages: IngestRules['testImages'];
  removal: string;
  listed: string;
  now: Date;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Ends the name of a removal that a request made. */
const BY_REQUEST = '-removal';
export const removalName = (arrival: string): string => `${arrival}${BY_REQUEST}`;

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
  { largestShare, testImages, removal, listed, now }: RemovalTerms,
): Promise<RemovalOutcome> {
  const request = parseRequestFile(body);
  const none = { asked: 0, removed: 0, removal: null, unknown: [], next: null };
  if (typeof request === 'string') return { ...none, outcome: 'invalid', reason: request };
  const { images, vehicles, reason } = request;
  const history = await pool.history();
  const wanted = new Set(vehicles);
  const isOfVehicle = ({ vehicleId }: IndexRow): boolean => vehicleId !== null && wanted.has(vehicleId);
  const ofVehicles = [...history.images(isOfVehicle), ...[...history.removed()].filter(isOfVehicle)];
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
  const inPool = history.count();
  const recent = [...history.removed()].filter((row) => isRecentRequest(row, now) && !isOurs(row)).length;
  const limit = Math.ceil(largestShare * (inPool + done.length + recent));
  const tests = testImages === 'accept' ? 0 : open.filter(({ split }) => split === 'test').length;
  const command = `partloop pool remove ${pool.name} ${images.length > 0 ? `--images ${listed} --list images` : `--where vehicleId=…`}`;
  if (done.length === 0 && tests > 0)
    return {
      ...{ ...none, ...facts, outcome: 'too-many', next: `${command} --yes` },
      reason: `${counted(tests, 'image is', 'images are')} in the test set, which only the operator changes; ${reason}`,
    };
  if (done.length === 0 && open.length + recent > limit)
    return {
      ...{ ...none, ...facts, outcome: 'too-many', next: `${command} --yes` },
      reason: `${open.length} images, with ${recent} of the last day, are more than the ${limit} that requests may take out by themselves; ${reason}`,
    };
  await removeImages(
    pool,
    open.map(({ imageId }) => imageId),
    { purge: false, now, id: removal },
  );
  const count = done.length + open.length;
  return {
    ...{ ...facts, outcome: 'removed', removed: count, removal: count === 0 ? null : removal },
    // A name that the pool does not know may be that of a rejected file, which the command finds.
    next: count + facts.unknown.length === 0 ? null : `${command} --bytes --yes`,
  };
}

const isRecentRequest = ({ change, changeId, removedAt }: IndexRow, now: Date): boolean =>
  change === 'removal' &&
  changeId?.endsWith(BY_REQUEST) === true &&
  removedAt !== null &&
  now.getTime() - Date.parse(removedAt) < DAY_MS;

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
