import type { Readable } from 'node:stream';

/** Facts about an object that are known without reading it. */
export interface ObjectFacts {
  key: string;
  size: number;
  etag: string;
  versionId: string | null;
  /** When it was last written, by the server's clock. */
  modifiedAt: Date;
}

/** An upload in parts that has neither ended nor been given up. Its parts take room, and no listing shows them. */
export interface OpenUpload {
  key: string;
  id: string;
  startedAt: Date;
}

/**
 * Objects under one prefix of one bucket. Keys are relative to the prefix (`storage/keys.ts`). Every method retries
 * transient faults by itself and then throws `PartloopError('store-unavailable')`; a missing key is `not-found`.
 * Methods that read also take an `s3://` URI in place of a key, for images that stay in their place, with the same
 * credentials.
 */
export interface ObjectStore {
  /** `s3://bucket/prefix`, for people and for building URIs. */
  readonly uri: string;
  /** With `ifMatch` only this version: another one is `data-changed`. */
  get(key: string, ifMatch?: string): Promise<{ body: Uint8Array; etag: string }>;
  /** null if there is no such key. */
  tryGet(key: string): Promise<{ body: Uint8Array; etag: string } | null>;
  getStream(key: string): Promise<Readable>;
  head(key: string): Promise<ObjectFacts | null>;
  /** Write to a fresh or content-addressed key, unconditionally. */
  put(key: string, body: Uint8Array | string, contentType?: string): Promise<{ etag: string }>;
  /** Create only if absent; a read-back tells a lost answer from a lost race. */
  putIfAbsent(key: string, body: Uint8Array | string, contentType?: string): Promise<'created' | 'exists'>;
  /** Replace the version `etag`; null means "only if absent". `conflict` if somebody else was first. */
  replace(key: string, body: Uint8Array | string, etag: string | null): Promise<{ etag: string } | 'conflict'>;
  /** Stream a local file to a fresh key; bounded memory, any size. */
  putFile(key: string, path: string, contentType?: string): Promise<{ etag: string }>;
  /** Stream an object into a local file by temporary name and rename; with `ifMatch` only this version, as `get`. */
  getFile(key: string, path: string, ifMatch?: string): Promise<void>;
  list(prefix: string): AsyncIterable<ObjectFacts>;
  /** The names that follow `prefix` up to the next `/`: `pools/` gives the pools, however many objects they have. */
  folders(prefix: string): AsyncIterable<string>;
  /** @throws PartloopError `store-unavailable` naming the first key that remains, after all were tried */
  delete(keys: string[]): Promise<void>;
  /** The same, but returns the remaining keys, each with the store's reason. A missing key is no failure. */
  tryDelete(keys: readonly string[]): Promise<FailedDelete[]>;
  /** Uploads in parts under a prefix that are not done: those under way, and those whose process died. */
  openUploads(prefix: string): AsyncIterable<OpenUpload>;
  /** What the parts of such an upload take, in bytes; 0 for one that is gone. */
  uploadedBytes(upload: OpenUpload): Promise<number>;
  /** Give up such an upload and free its parts; one that is gone is no failure. */
  abortUpload(upload: OpenUpload): Promise<void>;
}

export interface FailedDelete {
  key: string;
  reason: string;
}
