import { z } from 'zod';
import { PartloopError } from '../base/errors.js';

export const WORKER_ROLES = ['light', 'scan', 'train'] as const;
export type WorkerRole = (typeof WORKER_ROLES)[number];

const text = z.string().min(1);
const isUrl = (value: string): boolean => URL.canParse(value) && /^https?:/.test(value);
const url = text.refine(isUrl, 'an address such as http://127.0.0.1:9000');
const GIGABYTES = /^\d+(\.\d+)?$/;
const STORE = /^s3:\/\/[^/\s]+(\/\S*)?$/;

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

/**
 * Every environment variable that partloop itself reads, with its allowed values; docs/operations.md lists them.
 * Variables of Temporal and AWS belong to their libraries, except for the addresses and regions that are shown. An
 * empty variable counts as unset, except `PARTLOOP_WORKERS`.
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
  PARTLOOP_DEBUG: text.optional().describe('Any value: unexpected errors show their full trace'),
  PARTLOOP_STORE: text.regex(STORE, 's3://bucket/prefix').optional().describe('Store to use instead of a local one'),
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

/** The variables of an environment; a variable with an invalid value is refused by name. */
export function readVariables(environment: Readonly<Record<string, string | undefined>>): Variables {
  const parsed = variablesSchema.safeParse(setOnes(environment));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `the environment variable ${name} is \`${environment[name]}\`, but must be ${message}`;
  });
  throw new PartloopError('config-invalid', problems.join('; '), {
    hint: 'docs/operations.md lists every variable; unset it to take its default.',
  });
}

/** The declared variables that are set, as they are written. */
export function setOnes(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    VARIABLE_NAMES.flatMap((name): [string, string][] => {
      const value = environment[name];
      return value === undefined || (value === '' && !MAY_BE_EMPTY.has(name)) ? [] : [[name, value]];
    }),
  );
}
