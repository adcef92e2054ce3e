import { randomBytes } from 'node:crypto';
import { ULID_LETTERS, ULID_TIME_LETTERS } from '../domain/base/ids.js';

const RANDOM_LETTERS = 16;

/**
 * A name that sorts by its time of creation: 48 bits of milliseconds, 80 random bits (https://github.com/ulid/spec).
 */
export function ulid(now: Date): string {
  let rest = now.getTime();
  let time = '';
  for (let at = 0; at < ULID_TIME_LETTERS; at++) {
    time = `${ULID_LETTERS[rest % 32]}${time}`;
    rest = Math.floor(rest / 32);
  }
  return time + Array.from(randomBytes(RANDOM_LETTERS), (byte) => ULID_LETTERS[byte % 32]).join('');
}
