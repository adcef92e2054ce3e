import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import * as asn from '../../../infra/services/der.js';

/** A certificate and its key, both PEM. */
export interface Identity {
  certificate: string;
  key: string;
}

/** An authority, which signs certificates for a name: servers, at `localhost`, and their clients. */
export interface Authority {
  certificate: string;
  sign(commonName: string): Identity;
}

const SAN = [0x55, 0x1d, 0x11] as const;
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13] as const;
const DNS_NAME = 0x82;

/** An authority of a test's own. */
export function makeAuthority(commonName: string): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const isAuthority = asn.sequence(asn.oid(...BASIC_CONSTRAINTS), asn.octets(asn.sequence(asn.TRUE)));
  const names = asn.sequence(asn.der(DNS_NAME, Buffer.from('localhost')));
  const isLocalhost = asn.sequence(asn.oid(...SAN), asn.octets(names));
  const issue = (subject: string, key: KeyObject, extension: Buffer): string =>
    signed({ issuer: commonName, subject, key, extension }, pair.privateKey);
  return {
    certificate: issue(commonName, pair.publicKey, isAuthority),
    sign(subject) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      return {
        certificate: issue(subject, publicKey, isLocalhost),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

interface Claim {
  issuer: string;
  subject: string;
  key: KeyObject;
  extension: Buffer;
}

function signed({ issuer, subject, key, extension }: Claim, by: KeyObject): string {
  const name = (text: string): Buffer =>
    asn.sequence(asn.set(asn.sequence(asn.oid(0x55, 0x04, 0x03), asn.der(asn.UTF8_STRING, Buffer.from(text)))));
  const algorithm = asn.sequence(asn.oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const time = (text: string): Buffer => asn.der(asn.GENERALIZED_TIME, Buffer.from(text));
  const body = asn.sequence(
    asn.der(asn.EXPLICIT_0, asn.der(asn.INTEGER, Buffer.from([2]))),
    asn.der(asn.INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name(issuer),
    asn.sequence(time('20200101000000Z'), time('21200101000000Z')),
    name(subject),
    key.export({ type: 'spki', format: 'der' }),
    asn.der(asn.EXPLICIT_3, asn.sequence(extension)),
  );
  const signature = createSign('SHA256').update(body).sign(by);
  const whole = asn.sequence(body, algorithm, asn.der(asn.BIT_STRING, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
