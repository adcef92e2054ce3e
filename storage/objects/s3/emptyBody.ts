/** The SDK sends an empty body without a length, and warns of it as of an endless stream, unless it is told. */
export const lengthIfEmpty = (body: Uint8Array | string): { ContentLength?: number } =>
  body.length === 0 ? { ContentLength: 0 } : {};
