import type { Choices } from './source.js';

/** A copy with one to four changes: bits, lost ends, pieces twice or elsewhere, rubbish. */
export function mutateBytes(bytes: Uint8Array, choices: Choices): Uint8Array {
  // A buffer's slices would be views of it.
  let changed: Uint8Array = Uint8Array.from(bytes);
  for (let rounds = 1 + choices.below(choices.chance(0.3) ? 4 : 1); rounds > 0; rounds--)
    changed = changeOnce(changed, choices);
  return changed;
}

function changeOnce(bytes: Uint8Array, choices: Choices): Uint8Array {
  const at = choices.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + choices.size(bytes.length + 1));
  switch (choices.below(8)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return joined(bytes.subarray(0, at), choices.bytes(choices.size(64)), bytes.subarray(at));
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(end));
    case 3:
      return joined(bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end));
    case 4:
      return bytes.slice().fill(choices.pick([0, 255, 0x41]), at, end);
    case 5:
      return choices.bytes(choices.size(1_000));
    default: {
      const changed = bytes.slice();
      for (let bits = 1 + choices.below(8); bits > 0 && bytes.length > 0; bits--) {
        const index = choices.below(bytes.length);
        changed[index] = (changed[index] as number) ^ (1 << choices.below(8));
      }
      return changed;
    }
  }
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** Pieces that mean something to one parser or another. */
const PIECES = [
  ...[
    '\uFEFF',
    '\u0000',
    'NaN',
    '-Infinity',
    '1e999',
    '__proto__',
    '{"__proto__":1}',
    '"',
    "'",
    '\\',
    '\r',
    '\n',
    '\t',
    ',',
    ';',
  ],
  ...[
    '[',
    '{',
    ']',
    '}',
    ':',
    '#',
    '&a ',
    '*a',
    '!!js/function ',
    '|',
    '>',
    '- ',
    '? ',
    '%YAML 9\n',
    '---\n',
    '../',
    '\uD800',
  ],
  ...['0 0.1 0.1 0.9 0.1 0.9 0.9', 'nan nan', '1e308', '-1', '99999999999999999999', '<<: ', 'names:', '   '],
];

/** The same for texts that are mostly still read: lines, pieces and marks come and go. */
export function mutateText(text: string, choices: Choices): string {
  let changed = text;
  for (let rounds = 1 + choices.below(choices.chance(0.3) ? 3 : 1); rounds > 0; rounds--) {
    const at = choices.below(changed.length + 1);
    const end = Math.min(changed.length, at + choices.size(changed.length + 1));
    const piece = choices.pick(PIECES);
    changed = choices.pick([
      () => changed.slice(0, at),
      () => changed.slice(0, at) + piece + changed.slice(at),
      () => changed.slice(0, at) + piece.repeat(choices.size(20_000 / piece.length)) + changed.slice(at),
      () => changed.slice(0, at) + changed.slice(end),
      () => changed.slice(0, end) + changed.slice(at, end) + changed.slice(end),
      () => changed.replaceAll('\n', '\r\n'),
      () => `\uFEFF${changed}`,
      () => shuffledLines(changed, choices),
      () => Buffer.from(mutateBytes(Buffer.from(changed), choices)).toString('latin1'),
    ])();
  }
  return changed;
}

function shuffledLines(text: string, choices: Choices): string {
  const lines = text.split('\n');
  const [one, other] = [choices.below(lines.length), choices.below(lines.length)];
  return lines.map((line, at) => (at === one ? lines[other] : at === other ? lines[one] : line)).join('\n');
}
