import type { ObjectStore } from './objectStore.js';
import { connect, type StoreOptions } from './s3/bucket.js';
import { listing } from './s3/list.js';
import { openUploads } from './s3/openUploads.js';
import { reading } from './s3/read.js';
import { removing } from './s3/remove.js';
import { writing } from './s3/write.js';
import { verified } from './verified.js';

export type { StoreOptions } from './s3/bucket.js';

/**
 * Objects of one bucket under one prefix; files of steps are checked when they are read
 * (`storage/objects/verified.ts`).
 */
export const openStore = (options: StoreOptions): ObjectStore => verified(openObjects(options));

/** The same unchecked. */
function openObjects(options: StoreOptions): ObjectStore {
  const bucket = connect(options);
  return {
    uri: options.uri,
    ...reading(bucket),
    ...writing(bucket),
    ...listing(bucket),
    ...removing(bucket),
    ...openUploads(bucket),
  };
}
