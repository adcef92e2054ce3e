import { PartloopError } from '../domain/base/errors.js';
import type { LoopConfig } from '../domain/config.js';
import { givenSettings, resolveConfig, type StartLoopRequest } from '../domain/loop/startRequest.js';
import { adoptedSettings, ownConfig } from '../domain/loop/state.js';
import { assertClassesOfFocus } from '../domain/sample/focus.js';
import { configWith } from '../domain/settings/loopConfig.js';
import { readLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { openPool } from '../storage/pool/pool.js';
import { choosePool } from './pool.js';

/** A request to start a loop, with everything that can be known before the start. */
export interface ResolvedStart {
  loop: string;
  /** The loop's own configuration, or that of a new one, with the request's settings. */
  config: LoopConfig;
  /** The request's own settings. */
  settings: Record<string, unknown>;
}

/**
 * The loop and the meaning of a start. Pool and settings belong to a loop after its first request; values that a later
 * request does not give stay as they are.
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
  const { defaults, taxonomy } = await openPool(store, pool);
  if (own === null) {
    const config = resolveConfig(request, pool, defaults, adoptedSettings(state));
    assertClassesOfFocus(config.sample.focus, taxonomy);
    return { loop, config, settings };
  }
  if (own.pool === pool) {
    const config = configWith(own, settings);
    assertClassesOfFocus(config.sample.focus, taxonomy);
    return { loop, config, settings };
  }
  throw new PartloopError(
    'input-invalid',
    `field \`loop\`: loop \`${loop}\` draws from pool \`${own.pool}\`, not from \`${pool}\``,
    { hint: 'Give the new loop another name.' },
  );
}
