import { readVariables } from '../../domain/settings/variables.js';
import { temporalConfig } from '../../workers/temporalConfig.js';

/** Variables with which users name their own Temporal service. */
const TEMPORAL_CHOICES = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'] as const;

export interface ForeignTemporal {
  address: string;
  namespace: string;
  uiUrl: string | null;
}

/** The Temporal service that the environment names, by Temporal's own rules; null if it names none. */
export function foreignTemporal(): ForeignTemporal | null {
  const variables = readVariables(process.env);
  if (TEMPORAL_CHOICES.every((name) => variables[name] === undefined)) return null;
  const { connectionOptions, namespace } = temporalConfig();
  return {
    address: connectionOptions.address ?? 'localhost:7233',
    namespace: namespace ?? 'default',
    uiUrl: variables.TEMPORAL_UI_URL?.replace(/\/$/, '') ?? null,
  };
}

/** Whether the environment names a store; its place comes from `storeAddress`. */
export const namesStore = (): boolean => readVariables(process.env).PARTLOOP_STORE !== undefined;
