import type { Variables } from '../../domain/settings/variables.js';
import type { Webhook } from './delivery.js';

/** The webhook that an environment names; null if it names none. */
export function webhookOf({ PARTLOOP_NOTIFY_URL: url, PARTLOOP_NOTIFY_SECRET: secret }: Variables): Webhook | null {
  return url === undefined || secret === undefined ? null : { url, secret };
}
