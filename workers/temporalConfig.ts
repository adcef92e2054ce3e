import { loadClientConnectConfig } from '@temporalio/envconfig';
import { PartloopError } from '../domain/base/errors.js';

/**
 * The connection to Temporal, by Temporal's own variables and configuration file.
 *
 * @throws PartloopError `config-invalid` if these cannot be used
 */
export function temporalConfig(): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PartloopError('config-invalid', `the configuration of Temporal cannot be used: ${why}`, {
      cause,
      hint: 'Check TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and that file; unset both for the local stack.',
    });
  }
}
