import { PartloopError } from '../../domain/base/errors.js';
import type { TrackingConfig } from '../../domain/tracking/config.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** A server of MLflow, and what it is shown of us. */
export interface MlflowAddress {
  /** Without a slash at its end, without user and password. */
  uri: string;
  /** Value of the header `authorization`; null if there is none to show. */
  authorization: string | null;
}

/**
 * The server that settings or environment name. Credentials come from the environment alone, by the variables of
 * MLflow's own clients, and go to no other server than the one in `MLFLOW_TRACKING_URI`: settings come from whoever may
 * start a loop.
 *
 * @throws PartloopError `config-invalid` if nobody names a server
 */
export function mlflowAddress({ uri }: TrackingConfig['mlflow'], environment: Environment): MlflowAddress {
  const own = parsed(environment.MLFLOW_TRACKING_URI);
  const asked = uri === null ? own : parsed(uri);
  if (asked === null)
    throw new PartloopError('config-invalid', '`tracking.mlflow` is enabled, and no MLflow server is named', {
      hint: 'Set `tracking.mlflow.uri`, or MLFLOW_TRACKING_URI where workers run, to an http or https address.',
    });
  const isOwn = own !== null && own.origin === asked.origin;
  return {
    uri: `${asked.origin}${asked.pathname}`.replace(/\/+$/, ''),
    authorization: isOwn ? shown(own, environment) : null,
  };
}

function parsed(uri: string | undefined): URL | null {
  const url = uri !== undefined && URL.canParse(uri) ? new URL(uri) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}

function shown(own: URL, environment: Environment): string | null {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD } = environment;
  const user = MLFLOW_TRACKING_USERNAME ?? decodeURIComponent(own.username);
  const password = MLFLOW_TRACKING_PASSWORD ?? decodeURIComponent(own.password);
  if (user !== '') return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return token === undefined || token === '' ? null : `Bearer ${token}`;
}
