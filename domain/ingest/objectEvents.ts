import { z } from 'zod';
import { dropOfMarker } from './drop.js';

const bucketAndKey = z.looseObject({
  bucket: z.looseObject({ name: z.string().max(1_024) }),
  object: z.looseObject({ key: z.string().max(4_096) }),
});

/** An S3 event notification, as S3 and the servers that follow it send it: keys are form-encoded. */
const notificationSchema = z.looseObject({
  Records: z.array(z.looseObject({ eventName: z.string().max(200), s3: bucketAndKey })).max(10_000),
});
/** The same event through EventBridge: keys are plain. */
const eventBridgeSchema = z.looseObject({ 'detail-type': z.literal('Object Created'), detail: bucketAndKey });

export interface StorePlace {
  bucket: string;
  /** Empty, or ends with `/`. */
  prefix: string;
}

/** `s3://bucket/prefix` in its parts. */
export function placeOfStore(uri: string): StorePlace {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
  return { bucket, prefix: prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/` };
}

/**
 * The drops whose markers an event says were written. Objects of other buckets, and all but markers, are passed over.
 *
 * @returns null for a body that is no such event
 */
export function dropsOfEvent(body: unknown, { bucket, prefix }: StorePlace): { pool: string; drop: string }[] | null {
  const objects = objectsOf(body);
  if (objects === null) return null;
  return objects.flatMap((object) => {
    if (object.bucket !== bucket || !object.key.startsWith(prefix)) return [];
    return dropOfMarker(object.key.slice(prefix.length)) ?? [];
  });
}

function objectsOf(body: unknown): { bucket: string; key: string }[] | null {
  const notification = notificationSchema.safeParse(body);
  if (notification.success)
    return notification.data.Records.flatMap(({ eventName, s3 }) =>
      /(^|:)ObjectCreated:/.test(eventName) ? [{ bucket: s3.bucket.name, key: formDecoded(s3.object.key) }] : [],
    );
  const bridged = eventBridgeSchema.safeParse(body);
  if (!bridged.success) return null;
  const { bucket, object } = bridged.data.detail;
  return [{ bucket: bucket.name, key: object.key }];
}

function formDecoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
