import { PartloopError } from '../domain/base/errors.js';
import type { LoopConfig } from '../domain/config.js';
import { givenSettings, resolveConfig, type StartLoopRequest } from '../domain/loop/startRequest.js';
import { adoptedSettings, ownConfig } from '../domain/loop/state.js';
import { configWith } from '../domain/settings/loopConfig.js';
import { choosePool } from '../steps/pool.js';
import { readLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { openPool } from '../storage/pool.js';

/** A request to start a loop with everything that can be known before it happens. */
export interface ResolvedStart {
  loop: string;
  /** The loop's own configuration, or that of a new one, with what the request gives. */
  config: LoopConfig;
  /** What the request gives itself. */
  settings: Record<string, unknown>;
}

/**
 * Whom a start is for and what it means. Pool and settings belong to a loop from its first request on; what a later
 * request does not give stays as it is.
 *
 * @throws PartloopError `not-found` and `input-invalid` naming pools, settings and conflicts
 */
export async function resolveStart(
  { store }: { store: ObjectStore },
  request: StartLoopRequest,
): Promise<ResolvedStart> {
  const named = request.loop === undefined ? null : await readLoopState(store, request.loop);
  const pool = await choosePool(store, request.pool ?? (named === null ? undefined : ownConfig(named)?.pool));
  const loop = request.loop ?? pool;
  const state = named ?? (await readLoopState(store, loop));
  const own = ownConfig(state);
  const settings = givenSettings(request);
  if (own === null) {
    const { defaults } = await openPool(store, pool);
    return { loop, config: resolveConfig(request, pool, defaults, adoptedSettings(state)), settings };
  }
  if (own.pool === pool) return { loop, config: configWith(own, settings), settings };
  throw new PartloopError(
    'input-invalid',
    `field \`loop\`: loop \`${loop}\` draws from pool \`${own.pool}\`, not from \`${pool}\``,
    { hint: 'Give the new loop another name.' },
  );
}
