// The few elements of DER that certificates are made of.

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_ID = 0x06;
export const UTF8_STRING = 0x0c;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
export const EXPLICIT_0 = 0xa0;
export const EXPLICIT_3 = 0xa3;
export const TRUE = Buffer.from([0x01, 0x01, 0xff]);

/** One DER element: tag, length, content. */
export function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

export const sequence = (...parts: Buffer[]): Buffer => der(SEQUENCE, Buffer.concat(parts));
export const set = (...parts: Buffer[]): Buffer => der(SET, Buffer.concat(parts));
export const oid = (...bytes: number[]): Buffer => der(OBJECT_ID, Buffer.from(bytes));
export const octets = (content: Buffer): Buffer => der(OCTET_STRING, content);
