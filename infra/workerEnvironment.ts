import { readVariables, WORKER_ROLES, type WorkerRole } from '../domain/settings/variables.js';
import { writeWhole } from './files.js';
import { homePaths } from './home.js';
import type { StackCredentials } from './services/credentials.js';
import { foreignTemporal, namesStore } from './services/foreign.js';
import type { Ports } from './services/ports.js';
import { LOCAL_REGION, LOCAL_STORE } from './services/seaweed.js';
import { LOCAL_NAMESPACE } from './services/temporalServer.js';

/**
 * The environment of a worker: it gets the variables to reach the services. AWS and Temporal variables of the user's
 * shell are left out, unless they name the services to use.
 */
export function workerEnvironment(home: string, ports: Ports, credentials: StackCredentials): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {};
  const keepTemporal = foreignTemporal() !== null;
  const keepStore = namesStore();
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith('TEMPORAL_') && !keepTemporal) continue;
    if ((name.startsWith('AWS_') || name.startsWith('PARTLOOP_STORE')) && !keepStore) continue;
    // One port for all workers of this machine would do for the first alone.
    if (name === 'PARTLOOP_HEALTH_PORT') continue;
    environment[name] = value;
  }
  if (!keepTemporal) {
    // An empty file, so that a profile in the user's own configuration cannot add TLS or keys to the local service.
    writeWhole(homePaths(home).temporalConfig, '[profile.default]\n');
    environment.TEMPORAL_CONFIG_FILE = homePaths(home).temporalConfig;
    environment.TEMPORAL_ADDRESS = `127.0.0.1:${ports.temporal}`;
    environment.TEMPORAL_NAMESPACE = LOCAL_NAMESPACE;
    environment.TEMPORAL_UI_URL = `http://127.0.0.1:${ports.temporalUi}`;
  }
  if (!keepStore) {
    environment.PARTLOOP_STORE = LOCAL_STORE;
    environment.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${ports.s3}`;
    environment.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
    environment.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;
    environment.AWS_REGION = LOCAL_REGION;
  }
  environment.PARTLOOP_HOME = home;
  environment.PARTLOOP_BOARD_URL ||= `http://127.0.0.1:${ports.board}`;
  environment.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  // Idle PyTorch threads that spin slow a training step twentyfold when anything else runs.
  environment.OMP_WAIT_POLICY = 'PASSIVE';
  return environment;
}

/** The environment of one role: workers of one machine share an address for metrics, not a port. */
export function roleEnvironment(environment: NodeJS.ProcessEnv, role: WorkerRole): NodeJS.ProcessEnv {
  const address = readVariables(environment).PARTLOOP_METRICS_ADDRESS;
  if (address === undefined) return environment;
  const [host, port] = [
    address.slice(0, address.lastIndexOf(':')),
    Number(address.slice(address.lastIndexOf(':') + 1)),
  ];
  return { ...environment, PARTLOOP_METRICS_ADDRESS: `${host}:${port + WORKER_ROLES.indexOf(role)}` };
}
