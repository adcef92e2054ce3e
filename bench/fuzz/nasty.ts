import type { Choices } from './source.js';

/** Numbers at which things break: bounds of types, our own limits, and impossible sizes. */
export const NUMBERS = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1e-7, 2, 3, 15, 16, 23, 24, 25, 254, 255, 256, 384, 65_535, 65_536, 99_999],
  ...[100_000, 1e6, -1e6, 1e6 + 1, 1e8, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e308, -1e308],
  ...[5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

/** Names and texts that paths, tables, terminals and prototypes take for something else. */
export const TEXTS = [
  ...[
    '',
    ' ',
    '.',
    '..',
    '/',
    '\\',
    '\u0000',
    '\n',
    '\uD800',
    'a\uDC00b',
    '\uFEFFhood',
    'ho\u200Bod',
    'Caf\u0065\u0301.jpg',
  ],
  ...[
    '../../etc/passwd',
    '/etc/passwd',
    '..\\..\\x',
    'C:\\x.jpg',
    '%2e%2e%2fx',
    'images/../../x',
    './1.jpg',
    '1.jpg/',
    'file:///x',
  ],
  ...[
    's3://',
    's3://bucket/../x',
    'http://example.org/1.jpg',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'length',
  ],
  ...[
    '=1+1',
    '@SUM(A1)',
    '-2',
    '"',
    "'",
    "'; --",
    '<b>',
    '$(x)',
    '\u001b[31mred',
    '\u202Egpj.exe',
    'NaN',
    'null',
    '1e400',
    '0x10',
  ],
  ...[
    'hood',
    'HOOD ',
    'wheel',
    'background',
    'ignored',
    '_background_',
    'x'.repeat(300),
    'y'.repeat(5_000),
    '🚗',
    'ﬀ',
    'İ',
    'ß',
  ],
];

/** A value of any kind. */
export function nasty(choices: Choices): unknown {
  switch (choices.below(10)) {
    case 0:
    case 1:
    case 2:
      return choices.pick(NUMBERS);
    case 3:
    case 4:
    case 5:
      return choices.pick(TEXTS);
    case 6:
      return choices.pick([null, true, false, [], {}, [[]], [null], [[[]]], undefined]);
    case 7:
      return nested(choices, choices.size(2_000));
    case 8:
      return Array.from({ length: choices.size(2_000) }, () => choices.pick(NUMBERS));
    default:
      return withOwn({}, choices.pick(['__proto__', 'constructor', 'prototype']), { polluted: true });
  }
}

/** The object with a field that is its own, whatever the name. */
export const withOwn = (object: object, name: string, value: unknown): object =>
  Object.defineProperty({ ...object }, name, { value, enumerable: true, configurable: true, writable: true });

function nested(choices: Choices, depth: number): unknown {
  let value: unknown = choices.pick(NUMBERS);
  const isList = choices.chance(0.5);
  for (let level = 0; level < depth; level++) value = isList ? [value] : { a: value };
  return value;
}
