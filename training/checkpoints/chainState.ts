import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { sha256Schema } from '../../domain/base/ids.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson } from '../../storage/tables/json.js';
import type { Commands } from '../trainingRun.js';

const storedCheckpointSchema = z.object({
  iteration: z.number().int().nonnegative(),
  key: z.string(),
  sha256: sha256Schema,
  /** The trainer's own sidecar, as text: without it the file does not count as whole. */
  sidecar: z.string(),
  /** Key of the progress log up to here. */
  log: z.string(),
  /**
   * True for a checkpoint of the run that a replay continues: that run's chain still names it, so it is not deleted
   * here.
   */
  borrowed: z.boolean().optional(),
});
export type StoredCheckpoint = z.infer<typeof storedCheckpointSchema>;

const lostCheckpointSchema = z.object({
  iteration: z.number().int().nonnegative(),
  key: z.string(),
  why: z.enum(['missing', 'damaged']),
  /** Iteration from which the run continued instead. */
  resumedFrom: z.number().int().nonnegative(),
});
/** A checkpoint that could no longer be used. */
export type LostCheckpoint = z.infer<typeof lostCheckpointSchema>;

export const turnSchema = z.object({ activity: z.string(), attempt: z.number().int().positive() });
/** The activity and the server's attempt number of an attempt. */
export type Turn = z.infer<typeof turnSchema>;

const chainSchema = z.object({
  version: z.literal(1),
  /** Token of the attempt that has the lease: only it may publish. */
  attempt: z.string(),
  /** The server's identification of that attempt; null if no server asked for it. */
  turn: turnSchema.nullable().default(null),
  /** Newest first, at most three. */
  checkpoints: z.array(storedCheckpointSchema),
  /** Starts of the trainer, in total and since the newest checkpoint. */
  starts: z.number().int().nonnegative(),
  startsSinceCheckpoint: z.number().int().nonnegative(),
  failuresSinceCheckpoint: z.number().int().nonnegative(),
  lastFailure: z.string().nullable(),
  /** The request of a person to which the two counts since the checkpoint belong. */
  generation: z.string().nullable().default(null),
  lost: z.array(lostCheckpointSchema).default([]),
});
export type Chain = z.infer<typeof chainSchema>;

/**
 * Whether a claim comes from an attempt that the server has since given up: a disconnected host learns late that
 * another one has its work. A workflow numbers its activities in the order of its requests.
 */
export function isLate(
  claim: { generation: string; turn: Turn | null },
  { generation, turn }: { generation: string | null; turn: Turn | null },
): boolean {
  if (claim.turn === null || turn === null || claim.generation !== generation) return false;
  if (claim.turn.activity === turn.activity) return claim.turn.attempt < turn.attempt;
  return Number(claim.turn.activity) < Number(turn.activity);
}

/**
 * The state and its ETag; null if there is none.
 *
 * @throws PartloopError `data-invalid` naming the key, with the command that starts again
 */
export async function readChain(
  store: ObjectStore,
  key: string,
  { anew }: Commands,
): Promise<{ state: Chain; etag: string } | null> {
  const object = await store.tryGet(key);
  if (object === null) return null;
  try {
    return { state: parseJson(object.body, key, chainSchema), etag: object.etag };
  } catch (cause) {
    throw new PartloopError(
      'data-invalid',
      `${cause instanceof Error ? cause.message : key} (a training's checkpoints)`,
      {
        hint: `Restore that object. Or train from iteration 0: ${anew}.`,
        cause,
      },
    );
  }
}

/** Delete a run's checkpoints and its pointer, when nothing will continue from them. */
export async function dropCheckpoints(store: ObjectStore, key: string): Promise<void> {
  const object = await store.tryGet(key);
  if (object === null) return;
  const { checkpoints } = parseJson(object.body, key, chainSchema);
  const own = checkpoints.filter(({ borrowed }) => borrowed !== true);
  await store.delete([...own.flatMap((entry) => [entry.key, entry.log]), key]);
}
