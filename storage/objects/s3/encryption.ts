import { PartloopError } from '../../../domain/base/errors.js';
import type { StoreEncryption } from '../../../domain/settings/variables.js';

/** What a request that makes an object says about its encryption. */
export interface EncryptionFields {
  ServerSideEncryption?: StoreEncryption['algorithm'];
  SSEKMSKeyId?: string;
}

/** The fields that ask for this encryption; none without any, which leaves it to the bucket. */
export function encryptionFields(encryption: StoreEncryption | null | undefined): EncryptionFields {
  if (encryption == null) return {};
  const { algorithm, kmsKey } = encryption;
  return { ServerSideEncryption: algorithm, ...(kmsKey === null ? {} : { SSEKMSKeyId: kmsKey }) };
}

/**
 * Servers that know no encryption take the wish and write in plain. For PUTs alone: not every server that encrypts says
 * so of an upload in parts.
 *
 * @throws PartloopError `setup-incomplete` if the answer to a write does not name the encryption that was asked for
 */
export function mustBeEncrypted(
  key: string,
  asked: EncryptionFields,
  answer: { ServerSideEncryption?: string | undefined },
): void {
  const { ServerSideEncryption: wanted } = asked;
  if (wanted === undefined || answer.ServerSideEncryption === wanted) return;
  const got = answer.ServerSideEncryption ?? 'none';
  throw new PartloopError('setup-incomplete', `the store was to encrypt ${key} by ${wanted}, and says: ${got}`, {
    hint: 'Use a store that encrypts, or unset PARTLOOP_STORE_ENCRYPTION.',
  });
}
