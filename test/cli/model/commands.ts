import assert from 'node:assert/strict';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { z } from 'zod';
import type { CliAnswer } from '../../support/cli.js';
import { partloopHere } from '../../support/cliHere.js';
import type { TestStore } from '../../support/servers/s3.js';

/** Services of a test file, and the part of the store that a test has for itself. */
export interface Place {
  server: TestStore;
  temporal: TestWorkflowEnvironment;
  home: string;
  prefix: string;
}

/** Call `partloop` with success. */
export async function said(place: Place, ...args: string[]): Promise<CliAnswer> {
  const answer = await partloop(place, args);
  assert.equal(answer.code, 0, `partloop ${args.join(' ')}: ${answer.stderr}`);
  return answer;
}

/** The same with `--json`. */
export const answered = async <T>(place: Place, schema: z.ZodType<T>, ...args: string[]): Promise<T> =>
  schema.parse(JSON.parse((await said(place, ...args, '--json')).stdout));

/** Call it in vain: it says these words and a hint, and ends with this code. */
export async function refused(place: Place, words: RegExp, code: number, ...args: string[]): Promise<void> {
  const answer = await partloop(place, args);
  assert.match(answer.stderr, words);
  assert.match(answer.stderr, /\nhint: /);
  assert.equal(answer.code, code);
}

function partloop({ server, temporal, home, prefix }: Place, args: readonly string[]): Promise<CliAnswer> {
  const { endpoint, region, credentials } = server.options;
  return partloopHere(args, {
    PARTLOOP_HOME: home,
    PARTLOOP_STORE: `s3://partloop/${prefix}`,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
}
