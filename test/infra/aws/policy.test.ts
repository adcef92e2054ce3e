import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../../support/binaries.js';

/** What AWS wants to be allowed for each command, by its service authorization reference. */
const WANTED: Readonly<Record<string, readonly string[]>> = {
  AbortMultipartUpload: ['s3:AbortMultipartUpload'],
  CompleteMultipartUpload: ['s3:PutObject'],
  CreateMultipartUpload: ['s3:PutObject'],
  DeleteObjects: ['s3:DeleteObject'],
  GetObject: ['s3:GetObject'],
  HeadObject: ['s3:GetObject'],
  ListMultipartUploads: ['s3:ListBucketMultipartUploads'],
  ListObjectsV2: ['s3:ListBucket'],
  ListParts: ['s3:ListMultipartUploadParts'],
  PutObject: ['s3:PutObject'],
  UploadPart: ['s3:PutObject'],
};
/** For reading what a key of KMS encrypts, and for writing it, in one piece or in parts. */
const OF_KMS = ['kms:Decrypt', 'kms:GenerateDataKey'];

const statement = z.strictObject({
  Sid: z.string().regex(/^[A-Za-z0-9]+$/),
  Effect: z.literal('Allow'),
  Action: z.array(z.string()),
  Resource: z.array(z.string()),
});
const policySchema = z.strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(statement) });

describe('the policy for AWS', () => {
  const text = readFileSync(join(ROOT, 'infra', 'aws', 'policy.json'), 'utf8');
  const { Statement: statements } = policySchema.parse(JSON.parse(text));
  const files = execFileSync('git', ['ls-files', 'storage'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const sent = new Set(
    files.flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/new (\w+)Command\(/g)].map(([, name]) => name ?? ''),
    ),
  );
  const sorted = (names: Iterable<string>) => [...new Set(names)].sort();
  const allowed = statements.flatMap(({ Action }) => Action);

  it('knows every command that the store sends', () => {
    assert.deepEqual(sorted(sent), Object.keys(WANTED));
  });

  it('allows what these commands want, and nothing else', () => {
    assert.deepEqual(sorted(allowed), sorted([...OF_KMS, ...Object.values(WANTED).flat()]));
    assert.equal(new Set(allowed).size, allowed.length);
  });

  it('names the resource of each action: keys below the prefix, the bucket for listing, one key of KMS', () => {
    for (const { Action, Resource } of statements)
      for (const action of Action) {
        const resource = action.startsWith('kms:')
          ? 'arn:aws:kms:REGION:ACCOUNT:key/KEY'
          : action.startsWith('s3:ListBucket')
            ? 'arn:aws:s3:::BUCKET'
            : 'arn:aws:s3:::BUCKET/PREFIX/*';
        assert.deepEqual(Resource, [resource], action);
      }
  });
});
