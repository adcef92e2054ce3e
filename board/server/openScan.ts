import type { Context, MiddlewareHandler } from 'hono';
import type { Desks, Opened } from '../desks.js';

export interface ScanEnv {
  Variables: { opened: Opened };
}

/** The scan that an address names stays open until the answer is made. */
export const whileOpen =
  (desks: Desks): MiddlewareHandler<ScanEnv> =>
  async (context, next) => {
    await desks.use(scanOf(context), (opened) => {
      context.set('opened', opened);
      return next();
    });
  };

/** The answer is in the store: nobody waits for a batch that it fills. */
export function handInDue(
  desks: Desks,
  context: Context,
  { now, onError }: { now: Date; onError(error: unknown): void },
): void {
  void desks.use(scanOf(context), ({ answering }) => answering.handInDue(now)).catch(onError);
}

const scanOf = (context: Context): string => context.req.param('scan') ?? '';
