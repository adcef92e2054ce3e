import { z } from 'zod';
import { PartloopError } from '../base/errors.js';

export const WORKER_ROLES = ['light', 'scan', 'train'] as const;
export type WorkerRole = (typeof WORKER_ROLES)[number];

const text = z.string().min(1);
const isUrl = (value: string): boolean => URL.canParse(value) && /^https?:/.test(value);
const url = text.refine(isUrl, 'an address such as http://127.0.0.1:9000');
const GIGABYTES = /^\d+(\.\d+)?$/;
const STORE = /^s3:\/\/[^/\s]+(\/\S*)?$/;

/** A key of 24 to 64 bytes in base64, as the Standard Webhooks write it, with or without their prefix. */
const isSecret = (value: string): boolean => {
  const [, base64] = /^(?:whsec_)?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(value) ?? [];
  const bytes = ((base64?.replace(/=+$/, '').length ?? 0) * 3) / 4;
  return bytes >= 24 && bytes < 65;
};
const isAddress = (value: string): boolean => {
  const [, port] = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):([1-9]\d{0,4})$/.exec(value) ?? [];
  return Number(port) <= 65_533;
};
const isPlainUrl = (value: string): boolean => isUrl(value) && !new URL(value).username && !new URL(value).password;

/** A comma-separated list of roles; an empty one is a list too. */
const roles = z.string().transform((list, context): WorkerRole[] => {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const known = names.flatMap((name) => WORKER_ROLES.find((role) => role === name) ?? []);
  if (known.length < names.length) {
    context.addIssue({ code: 'custom', message: `any of ${WORKER_ROLES.join(', ')}, separated by commas, or nothing` });
  }
  return [...new Set(known)];
});

const ENCRYPTION = /^(?:(AES256)|(aws:kms)(?:=([\w:/.-]{1,2048}))?)$/;
const ENCRYPTIONS = 'AES256, aws:kms or aws:kms=KEY';

/** How the store is asked to encrypt what is written. */
export interface StoreEncryption {
  algorithm: 'AES256' | 'aws:kms';
  /** Id, alias or ARN of a key of AWS KMS; null for the store's own. */
  kmsKey: string | null;
}

const encryption = text.transform((value, context): StoreEncryption => {
  const [, own, , kmsKey = null] = ENCRYPTION.exec(value) ?? [];
  if (!ENCRYPTION.test(value)) context.addIssue({ code: 'custom', message: ENCRYPTIONS });
  return { algorithm: own === undefined ? 'aws:kms' : 'AES256', kmsKey };
});

/**
 * Every environment variable that partloop itself reads, with what it may hold; docs/operations.md lists them. Those of
 * Temporal and AWS are their libraries' own but for the addresses and regions that are shown, and those of MLflow may
 * hold a password (`tracking/mlflow/address.ts`). A variable that is empty counts as unset, except `PARTLOOP_WORKERS`.
 */
export const variablesSchema = z.object({
  PARTLOOP_HOME: text.optional().describe('Folder of the local stack and of caches'),
  PARTLOOP_WORKERS: roles.optional().describe('Workers of the local stack: light, scan, train; empty for none'),
  PARTLOOP_CACHE_GB: text
    .regex(GIGABYTES, 'a number of gigabytes such as 100')
    .default('100')
    .transform(Number)
    .describe('Gigabytes of pictures that a training machine keeps for the next training'),
  PARTLOOP_SAVE_SECONDS: text
    .regex(/^[1-9]\d{0,3}$/, 'a whole number of seconds such as 10')
    .default('10')
    .transform(Number)
    .describe('Seconds that a stopped training has to save, besides its current iteration'),
  PARTLOOP_PYTHON: text.optional().describe('Python of the trainer'),
  PARTLOOP_REQUIRE_GPU: text.optional().describe('Any value: workers that scan or train end if they find no GPU'),
  PARTLOOP_REPLAY_CHECK: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether `up` replays open workflows of other builds before workers start'),
  PARTLOOP_INGEST_TOKEN: text
    .min(16, 'a secret of at least 16 characters')
    .optional()
    .describe('Secret that senders of events give to `ingest listen`'),
  PARTLOOP_NOTIFY_URL: text
    .refine(isPlainUrl, 'an http or https address without user and password')
    .optional()
    .describe('Webhook that hears of iterations and decisions'),
  PARTLOOP_NOTIFY_SECRET: text
    .refine(isSecret, 'whsec_ and 24 to 64 bytes in base64')
    .optional()
    .describe('Key by which messages to that webhook are signed'),
  PARTLOOP_BOARD_URL: text
    .refine(
      (value) => isPlainUrl(value) && /^[\w:/.[\]~%-]+$/.test(value),
      'an http or https address without user, password and query',
    )
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .describe('Where people open the board, for links in reports and in the Temporal UI'),
  PARTLOOP_METRICS_ADDRESS: text
    .refine(isAddress, 'an address with a port up to 65533 such as 127.0.0.1:9464')
    .optional()
    .describe('Where a worker answers Prometheus; under the local stack the next two ports too'),
  PARTLOOP_HEALTH_PORT: text
    .refine((value) => /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535, 'a port such as 8080')
    .transform(Number)
    .optional()
    .describe('Port at which a worker answers health probes; none if unset'),
  PARTLOOP_HEALTH_HOST: text.default('127.0.0.1').describe('Address at which a worker answers health probes'),
  PARTLOOP_DEBUG: text.optional().describe('Any value: unexpected errors show their full trace'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional().describe('Where spans are sent as OTLP over HTTP'),
  PARTLOOP_STORE: text.regex(STORE, 's3://bucket/prefix').optional().describe('Store to use instead of a local one'),
  PARTLOOP_STORE_ENCRYPTION: encryption
    .optional()
    .describe('How that store encrypts what is written: AES256, aws:kms or aws:kms=KEY'),
  TEMPORAL_ADDRESS: text.optional().describe('Temporal service to use instead of a local one'),
  TEMPORAL_PROFILE: text.optional().describe("Profile of Temporal's own configuration file"),
  TEMPORAL_CONFIG_FILE: text.optional().describe("Temporal's own configuration file"),
  TEMPORAL_UI_URL: url.optional().describe("Address of that service's Web UI, for links"),
  AWS_ENDPOINT_URL_S3: url.optional().describe('Address of the S3 server'),
  AWS_ENDPOINT_URL: url.optional().describe('Address of the S3 server if `AWS_ENDPOINT_URL_S3` is unset'),
  AWS_REGION: text.optional().describe('Region of the store'),
  AWS_DEFAULT_REGION: text.optional().describe('Region of the store if `AWS_REGION` is unset'),
});
export type Variables = z.infer<typeof variablesSchema>;
export type VariableName = keyof Variables;
export const VARIABLE_NAMES = Object.keys(variablesSchema.shape) as VariableName[];

const MAY_BE_EMPTY: ReadonlySet<string> = new Set<VariableName>(['PARTLOOP_WORKERS']);

/** Variables that are never shown: secrets, and an address that often holds one. */
const SECRET: ReadonlySet<string> = new Set<VariableName>([
  ...(['PARTLOOP_NOTIFY_URL', 'PARTLOOP_NOTIFY_SECRET', 'PARTLOOP_INGEST_TOKEN'] as const),
]);

/** The variables of an environment; one with a value that it cannot have is refused by name. */
export function readVariables(environment: Readonly<Record<string, string | undefined>>): Variables {
  const parsed = variablesSchema.safeParse(setOnes(environment));
  if (parsed.success) return whole(parsed.data);
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    const found = SECRET.has(name) ? '' : ` is \`${environment[name]}\`, but`;
    return `the environment variable ${name}${found} must be ${message}`;
  });
  throw new PartloopError('config-invalid', problems.join('; '), {
    hint: 'docs/operations.md lists every variable; unset it to take its default.',
  });
}

/** A webhook has an address and a key. */
function whole(variables: Variables): Variables {
  const names = ['PARTLOOP_NOTIFY_URL', 'PARTLOOP_NOTIFY_SECRET'] as const;
  const [missing, ...others] = names.filter((name) => variables[name] === undefined);
  if (missing === undefined || others.length > 0) return variables;
  throw new PartloopError('config-invalid', `the environment variable ${missing} is not set, but the other one is`, {
    hint: `Set ${names.join(' and ')}, or neither: every message is signed.`,
  });
}

/** The declared variables that are set, as people may see them. */
export const shownVariables = (environment: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(setOnes(environment)).map(([name, value]) => [name, SECRET.has(name) ? '(hidden)' : value]),
  );

/** The declared variables that are set, as they are written. */
function setOnes(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    VARIABLE_NAMES.flatMap((name): [string, string][] => {
      const value = environment[name];
      return value === undefined || (value === '' && !MAY_BE_EMPTY.has(name)) ? [] : [[name, value]];
    }),
  );
}
