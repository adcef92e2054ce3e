import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { PartloopError } from '../../domain/base/errors.js';
import { writeWhole } from '../files.js';
import { homePaths, venvBinary } from '../home.js';
import type { StackCredentials } from './credentials.js';
import type { Ports } from './ports.js';

export const LOCAL_BUCKET = 'partloop';
export const LOCAL_STORE = `s3://${LOCAL_BUCKET}/store`;
export const LOCAL_REGION = 'us-east-1';
const READY_TIMEOUT_MS = 60_000;
/** The longest path of a Unix socket on the systems we know, less the zero at its end. */
const SOCKET_PATH_LIMIT = 100;

/** Every part of SeaweedFS that speaks gRPC, and its client. */
const GRPC_PARTS = ['master', 'volume', 'filer', 's3', 'admin', 'worker', 'client', 'msg_broker', 'msg_agent'];

/**
 * The local S3 server. Its other parts would take writes that bypass the S3 keys, so: everything listens on 127.0.0.1;
 * admin UI, WebDAV, IAM, the table catalogues and the HTTP of master and filer are off; the volume's HTTP requires
 * signed requests; every gRPC port requires our own certificate. No statistics are sent to its makers.
 */
export function seaweedCommand(
  home: string,
  ports: Ports,
  credentials: StackCredentials,
): { command: string; args: string[] } {
  const folder = homePaths(home).seaweed;
  const config = join(folder, 'config');
  const data = join(folder, 'data');
  for (const path of [config, data]) mkdirSync(path, { recursive: true, mode: 0o700 });
  writeWhole(join(config, 'grpc.crt'), credentials.certificate);
  writeWhole(join(config, 'grpc.key'), credentials.certificateKey);
  writeWhole(join(config, 'security.toml'), securityToml(config, credentials.internalKey));
  writeWhole(join(config, 's3.json'), s3Json(credentials));
  const options = {
    dir: data,
    ip: '127.0.0.1',
    'ip.bind': '127.0.0.1',
    'master.telemetry': false,
    'admin.ui': false,
    webdav: false,
    disableHttp: true,
    's3.iam': false,
    's3.autoCreateBucket': false,
    's3.port.iceberg': 0,
    's3.port.lance': 0,
    's3.config': join(config, 's3.json'),
    bucket: LOCAL_BUCKET,
    'filer.localSocket': socketPath(folder, 'filer.sock'),
    's3.localSocket': socketPath(folder, 's3.sock'),
    's3.port': ports.s3,
    's3.port.grpc': ports.s3Grpc,
    'master.port': ports.master,
    'master.port.grpc': ports.masterGrpc,
    'volume.port': ports.volume,
    'volume.port.grpc': ports.volumeGrpc,
    'filer.port': ports.filer,
    'filer.port.grpc': ports.filerGrpc,
    'admin.port': ports.admin,
    'admin.port.grpc': ports.adminGrpc,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => (value === '' ? [] : [`-${name}=${value}`]));
  return { command: venvBinary('weed'), args: [`-config_dir=${config}`, '-logtostderr', 'mini', ...flags] };
}

/**
 * Sockets stay in our own folder if the path is short enough; otherwise SeaweedFS puts them in the temporary folder.
 */
function socketPath(folder: string, name: string): string {
  const path = join(folder, name);
  return path.length <= SOCKET_PATH_LIMIT ? path : '';
}

/** Remove the gRPC sockets that SeaweedFS always makes and leaves in /tmp. */
export function removeSockets(ports: Ports): void {
  const { masterGrpc: master, volumeGrpc: volume, filerGrpc: filer, s3Grpc: s3, adminGrpc: admin } = ports;
  for (const [part, port] of Object.entries({ master, volume, filer, s3, admin })) {
    rmSync(`/tmp/seaweedfs-${part}-grpc-${port}.sock`, { force: true });
  }
}

function securityToml(config: string, key: string): string {
  const signed = ['jwt.signing', 'jwt.signing.read', 'jwt.filer_signing', 'jwt.filer_signing.read'].map(
    (section) => `[${section}]\nkey = "${key}"\n`,
  );
  const certificate = JSON.stringify(join(config, 'grpc.crt'));
  const certified = GRPC_PARTS.map(
    (part) => `[grpc.${part}]\ncert = ${certificate}\nkey = ${JSON.stringify(join(config, 'grpc.key'))}\n`,
  );
  return [...signed, `[grpc]\nca = ${certificate}\n`, ...certified].join('\n');
}

function s3Json({ accessKeyId, secretAccessKey }: StackCredentials): string {
  const actions = ['Admin', 'Read', 'Write', 'List', 'Tagging'];
  return JSON.stringify({
    identities: [{ name: 'partloop', credentials: [{ accessKey: accessKeyId, secretKey: secretAccessKey }], actions }],
  });
}

/** Wait until the S3 endpoint knows our bucket. */
export async function prepareSeaweed(ports: Ports, credentials: StackCredentials, signal: AbortSignal): Promise<void> {
  const endpoint = `http://127.0.0.1:${ports.s3}`;
  const { accessKeyId, secretAccessKey } = credentials;
  const client = new S3Client({
    endpoint,
    region: LOCAL_REGION,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
  const deadline = performance.now() + READY_TIMEOUT_MS;
  try {
    for (;;) {
      signal.throwIfAborted();
      try {
        await client.send(new HeadBucketCommand({ Bucket: LOCAL_BUCKET }), { abortSignal: signal });
        return;
      } catch (cause) {
        if (performance.now() > deadline) {
          throw new PartloopError('stack-unavailable', `the S3 server at ${endpoint} did not answer within a minute`, {
            cause,
          });
        }
        await sleep(100);
      }
    }
  } finally {
    client.destroy();
  }
}
