import type { Context } from 'hono';
import type { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES } from '../../domain/base/failures/failure.js';
import { sessionIdSchema } from '../../domain/board/leases.js';
import { reviewerOf } from './access.js';

/** Largest body of a request that is no label. */
export const MAX_JSON = 64 * 1024;

/** A value from outside, or an error that names what does not fit. */
export function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new PartloopError('input-invalid', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

/** null for a body that is no JSON, which no schema takes. */
export const jsonOf = (context: Context): Promise<unknown> => context.req.json<unknown>().catch(() => null);

/** @throws PartloopError `input-invalid` if the reviewer gave no name yet */
export function nameOf(context: Context): string {
  const { name } = reviewerOf(context);
  if (name !== null) return name;
  throw new PartloopError('input-invalid', 'nobody is known at this screen', { hint: 'Give your name at /name.' });
}

/** The tab that asks. */
export const sessionOf = (context: Context): string =>
  parsed(sessionIdSchema, context.req.header('x-partloop-session') ?? '');

type Status = 400 | 404 | 409 | 500 | 503;
const STATUS: Readonly<Record<number, Status>> = { 2: 400, 3: 404, 4: 409, 6: 503 };

/** What a page says of an error. Only our own words go out. */
export function faultOf(error: unknown): { status: Status; message: string; hint: string } {
  if (!(error instanceof PartloopError)) return { status: 500, message: 'the board has a fault', hint: '' };
  return { status: STATUS[FAILURES[error.code].exitCode] ?? 500, message: error.message, hint: error.hint ?? '' };
}
