import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  BIT_STRING,
  der,
  EXPLICIT_0,
  EXPLICIT_3,
  GENERALIZED_TIME,
  INTEGER,
  octets,
  oid,
  sequence,
  set,
  TRUE,
  UTF8_STRING,
} from './der.js';

/**
 * A self-signed X.509 certificate (ECDSA P-256) with its key, both PEM, valid from 2020 to 2120.
 *
 * The parts of the local S3 server show it to each other and trust no other, so nobody else can call them. It is its
 * own authority and needs only a few fields of RFC 5280, so they are written here.
 */
export function makeCertificate(commonName: string): { certificate: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = sequence(set(sequence(oid(0x55, 0x04, 0x03), der(UTF8_STRING, Buffer.from(commonName)))));
  const algorithm = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]);
  const body = sequence(
    der(EXPLICIT_0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, serial),
    algorithm,
    name,
    sequence(
      der(GENERALIZED_TIME, Buffer.from('20200101000000Z')),
      der(GENERALIZED_TIME, Buffer.from('21200101000000Z')),
    ),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXPLICIT_3, sequence(sequence(oid(0x55, 0x1d, 0x13), TRUE, octets(sequence(TRUE))))),
  );
  const signature = createSign('SHA256').update(body).sign(privateKey);
  const whole = sequence(body, algorithm, der(BIT_STRING, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  };
}
