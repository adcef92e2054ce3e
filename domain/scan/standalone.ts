import type { LoopConfig } from '../config.js';
import { resolveConfig } from '../loop/startRequest.js';
import type { ScanRequest } from '../messages.js';
import { layerRecordSchema, mergeSettings } from '../settings/settings.js';

/** Without `split` in older histories. */
export type StandaloneRequest = Omit<ScanRequest, 'split'> & Partial<Pick<ScanRequest, 'split'>>;

/**
 * The settings of a scan that belongs to no loop, over `images` images at once.
 *
 * @throws PartloopError `input-invalid`, `config-invalid` as `resolveConfig`
 */
export function standaloneConfig(
  request: StandaloneRequest,
  { pool, defaults, images }: { pool: string; defaults: unknown; images: number },
): LoopConfig {
  const { crossValidate, model: _, iterations, pool: __, settings, split: ___, ...fields } = request;
  const own = { foldIterationShare: 1, ...(crossValidate === undefined ? {} : { folds: crossValidate }) };
  return resolveConfig(
    {
      ...fields,
      iterations: 1,
      chunkSize: Math.max(1, images),
      ...(iterations === undefined ? {} : { trainIterations: iterations }),
      // A loop's number of picks must not exceed its chunk; a scan picks nothing.
      settings: withOwn(settings, { scan: own, sample: { count: null } }),
    },
    pool,
    defaults,
  );
}

/** Settings of our own below the requested ones. */
const withOwn = (settings: unknown, own: Record<string, unknown>): Record<string, unknown> =>
  layerRecordSchema.parse(mergeSettings(own, settings));
