import { z } from 'zod';
import { PartloopError } from './errors.js';

/** Names of pools and loops: they become parts of S3 keys and workflow ids, so slashes and dots are excluded. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use 1–63 of a–z, 0–9 and -, starting with a letter or digit');
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** `1` -> `0001`: sorts as text up to 9999 iterations. */
export function iterationLabel(iteration: number): string {
  return String(iteration).padStart(4, '0');
}

/** Letters of a ULID, each five bits (https://github.com/ulid/spec). */
export const ULID_LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Number of leading letters that hold its time. */
export const ULID_TIME_LETTERS = 10;

/** The time when a ULID was made, as ISO text. */
export function ulidTime(id: string): string {
  const time = [...id.slice(0, ULID_TIME_LETTERS)].reduce(
    (so, letter) => so * 32 + Math.max(0, ULID_LETTERS.indexOf(letter)),
    0,
  );
  return new Date(time).toISOString();
}

export const loopWorkflowId = (loop: string): string => `loop:${loop}`;
export const iterationWorkflowId = (loop: string, iteration: number): string =>
  `loop:${loop}:iteration:${iterationLabel(iteration)}`;
export const scanWorkflowId = (parent: string): string => `${parent}:scan`;
export const tuneWorkflowId = (parent: string): string => `${parent}:tune`;
export const standaloneScanWorkflowId = (scan: string): string => `scan:${scan}`;

/** The one clean-up of the store that runs at a time. */
export const CLEAN_UP_ID = 'store:cleanup';

export const poolIngestWorkflowId = (pool: string): string => `pool:${pool}:ingest`;

const POOL_INGEST_ID = /^pool:([a-z0-9][a-z0-9-]{0,62}):ingest$/;
const SCAN_ID = /^scan:([a-z0-9][a-z0-9-]{0,62})$/;
const LOOP_ID = /^loop:([a-z0-9][a-z0-9-]{0,62})$/;
const ITERATION_ID = /^loop:([a-z0-9][a-z0-9-]{0,62}):iteration:(\d{4,})$/;

export function parseLoopWorkflowId(id: string): string {
  const loop = LOOP_ID.exec(id)?.[1];
  if (loop === undefined) {
    throw new PartloopError('input-invalid', `\`${id}\` is not the id of a training loop (\`loop:<name>\`)`, {
      hint: 'Start the workflow `startLoop` instead, under any id: it starts or joins the loop under the right id.',
    });
  }
  return loop;
}

export function parsePoolIngestWorkflowId(id: string): string {
  const pool = POOL_INGEST_ID.exec(id)?.[1];
  if (pool !== undefined) return pool;
  throw new PartloopError('input-invalid', `\`${id}\` is not the id of a pool's ingest (\`pool:<name>:ingest\`)`, {
    hint: 'Start the workflow `startIngest` instead, under any id: it starts or wakes the ingest under the right id.',
  });
}

/**
 * Number of random digits at the end of a run's id. Its first digits are the time (UUID version 7, RFC 9562 §5.7), the
 * same for a minute.
 */
const RANDOM_DIGITS = 12;

/** The name of a scan outside a loop: from its workflow's id or, if a person gave another id, from the run's. */
export function standaloneScanId(workflowId: string, runId: string): string {
  return SCAN_ID.exec(workflowId)?.[1] ?? `scan-${runId.slice(-RANDOM_DIGITS).toLowerCase()}`;
}

export function parseIterationWorkflowId(id: string): { loop: string; iteration: number } | null {
  const match = ITERATION_ID.exec(id);
  return match?.[1] && match[2] ? { loop: match[1], iteration: Number(match[2]) } : null;
}
