import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

/** A name that sorts by the time it was made: 48 bits of milliseconds, 80 random bits (https://github.com/ulid/spec). */
export function ulid(now: Date): string {
  let rest = now.getTime();
  let time = '';
  for (let at = 0; at < TIME_CHARACTERS; at++) {
    time = `${ALPHABET[rest % 32]}${time}`;
    rest = Math.floor(rest / 32);
  }
  return time + Array.from(randomBytes(RANDOM_CHARACTERS), (byte) => ALPHABET[byte % 32]).join('');
}

/** When a name of that kind was made, as ISO text. */
export function ulidTime(id: string): string {
  const time = [...id.slice(0, TIME_CHARACTERS)].reduce(
    (so, letter) => so * 32 + Math.max(0, ALPHABET.indexOf(letter)),
    0,
  );
  return new Date(time).toISOString();
}
