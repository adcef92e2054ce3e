import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { readIfThere, writeWhole } from '../files.js';
import { homePaths } from '../home.js';
import { makeCertificate } from './certificate.js';

const secret = z.string().min(16);
const schema = z.object({
  accessKeyId: secret,
  secretAccessKey: secret,
  /** Signing key of the S3 server's own parts; without it their HTTP ports would take writes from anyone. */
  internalKey: secret,
  /** Certificate and key (PEM) that those parts show each other on their gRPC ports. */
  certificate: z.string(),
  certificateKey: z.string(),
});

export type StackCredentials = z.infer<typeof schema>;

/** The credentials of the local S3 server; made at first start, readable by the owner alone. */
export function loadCredentials(home: string): StackCredentials {
  const path = homePaths(home).credentials;
  const text = readIfThere(path);
  if (text === null) {
    const { certificate, key } = makeCertificate('partloop local stack');
    const made: StackCredentials = {
      accessKeyId: `PL${randomBytes(9).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64url'),
      internalKey: randomBytes(32).toString('base64url'),
      certificate,
      certificateKey: key,
    };
    writeWhole(path, `${JSON.stringify(made, null, 2)}\n`);
    return made;
  }
  chmodSync(path, 0o600);
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // The cause would quote the file, so it is omitted.
    throw new PartloopError('data-invalid', `${path} does not hold the credentials of a local stack`, {
      hint: 'Stop the stack and remove the file; new credentials are made at the next start, and the data stays.',
    });
  }
}
