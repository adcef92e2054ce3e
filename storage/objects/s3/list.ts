import { ListObjectsV2Command, type ListObjectsV2Output } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../objectStore.js';
import type { Bucket } from './bucket.js';
import { translate } from './errors.js';
import { writtenAt } from './read.js';

type Listing = Pick<ObjectStore, 'list' | 'folders'>;

/** The methods of a store that list keys. */
export function listing(bucket: Bucket): Listing {
  return {
    async *list(under) {
      const { Bucket: name, Key: prefix } = bucket.place(under);
      const own = prefix.length - under.length;
      const nameOf = (key: string): string => (under.startsWith('s3://') ? `s3://${name}/${key}` : key.slice(own));
      for await (const { Contents } of pages(bucket, under))
        for (const { Key, Size, ETag, LastModified } of Contents ?? [])
          if (Key !== undefined)
            yield {
              ...{ key: nameOf(Key), size: Size ?? 0, etag: ETag ?? '', versionId: null },
              modifiedAt: writtenAt(LastModified),
            };
    },
    async *folders(under) {
      const { Key: prefix } = bucket.place(under);
      for await (const { CommonPrefixes } of pages(bucket, under, '/'))
        for (const { Prefix } of CommonPrefixes ?? []) if (Prefix !== undefined) yield Prefix.slice(prefix.length, -1);
    },
  };
}

/** The server's answers about keys under a prefix; with a delimiter, about the names up to its next occurrence. */
async function* pages(
  { client, place }: Bucket,
  under: string,
  delimiter?: string,
): AsyncGenerator<ListObjectsV2Output> {
  const { Bucket, Key: Prefix } = place(under);
  let token: string | undefined;
  do {
    const request = { Bucket, Prefix, Delimiter: delimiter, ContinuationToken: token };
    const page = await translate(under, () => client.send(new ListObjectsV2Command(request)));
    yield page;
    token = page.NextContinuationToken;
  } while (token !== undefined);
}
