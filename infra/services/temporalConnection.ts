import type { ConnectionOptions } from '@temporalio/client';
import { temporalConfig } from '../../workers/temporalConfig.js';
import { foreignTemporal } from './foreign.js';

/** What `Connection.connect` needs for the service in use: a foreign one may require TLS or an API key. */
export function temporalConnectionOptions(address: string): ConnectionOptions {
  const connectTimeout = '10 seconds';
  if (foreignTemporal() === null) return { address, connectTimeout };
  return { ...temporalConfig().connectionOptions, address, connectTimeout };
}
