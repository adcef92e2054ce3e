import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import type { ObjectStore, OpenUpload } from '../objectStore.js';
import type { Bucket } from './bucket.js';
import { isMissing, translate } from './errors.js';
import { writtenAt } from './read.js';

type Uploads = Pick<ObjectStore, 'openUploads' | 'uploadedBytes' | 'abortUpload'>;

/** The methods of a store that see to uploads in parts that are not done. */
export function openUploads({ client, name, prefix, place }: Bucket): Uploads {
  const requestOf = ({ key, id }: OpenUpload) => ({ ...place(key), UploadId: id });
  return {
    async *openUploads(under) {
      let from: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
      while (from !== null) {
        const request: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
          ...{ Bucket: name, Prefix: `${prefix}${under}`, ...from },
        });
        const page = await translate(under, () => client.send(request));
        // A server may take the prefix for a folder, or not know it at all.
        for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
          if (Key?.startsWith(`${prefix}${under}`) && UploadId !== undefined)
            yield { key: Key.slice(prefix.length), id: UploadId, startedAt: writtenAt(Initiated) };
        const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
        from =
          IsTruncated !== true || KeyMarker === undefined
            ? null
            : { KeyMarker, ...(UploadIdMarker === undefined ? {} : { UploadIdMarker }) };
      }
    },
    async uploadedBytes(upload) {
      let bytes = 0;
      let from: string | undefined;
      try {
        do {
          const request: ListPartsCommand = new ListPartsCommand({ ...requestOf(upload), PartNumberMarker: from });
          const page = await translate(upload.key, () => client.send(request));
          for (const { Size } of page.Parts ?? []) bytes += Size ?? 0;
          from = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
        } while (from !== undefined);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      return bytes;
    },
    async abortUpload(upload) {
      try {
        await translate(upload.key, () => client.send(new AbortMultipartUploadCommand(requestOf(upload))));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}
