import { createHash } from 'node:crypto';

const hex = (parts: readonly (string | number)[], bytes: number): string =>
  createHash('sha256')
    .update(JSON.stringify(parts))
    .digest('hex')
    .slice(0, 2 * bytes);

/** The trace of an iteration, 16 bytes in hex: every worker that reaches the store knows it by itself. */
export const traceIdOf = (storeUri: string, { loop, iteration }: { loop: string; iteration: number }): string =>
  hex([storeUri, loop, iteration], 16);

/** The span of a named part of a trace, 8 bytes in hex. */
export const spanIdOf = (traceId: string, part: string): string => hex([traceId, part], 8);
