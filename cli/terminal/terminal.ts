/**
 * Characters that a terminal obeys instead of showing, or that make text look like other text: control characters, the
 * marks that turn the direction of text, invisible letters, line breaks, and halves of characters.
 */
const UNSAFE =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text from outside (names of files, words of libraries) as one line that a terminal shows and never obeys. */
export function forTerminal(text: string): string {
  return text.replace(UNSAFE, (found) => SHORT[found] ?? escaped(found.codePointAt(0) ?? 0));
}

/** The same for text of several lines: later lines are indented, so that none looks like a line of partloop. */
export function linesForTerminal(text: string): string {
  return text.split('\n').map(forTerminal).join('\n  ');
}

function escaped(code: number): string {
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u{${digits}}`;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const ASCII = /^[ -~]*$/;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
const MARK = /^[\p{M}\u200c\u200d]+$/u;

/** Number of columns of a text on a terminal: two for East Asian and emoji characters, none for marks. */
export function columnsOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    if (MARK.test(segment)) continue;
    columns += EMOJI.test(segment) || isWide(segment.codePointAt(0) ?? 0) ? 2 : 1;
  }
  return columns;
}

/** Blocks of Unicode's East Asian Width W and F (UAX #11), first and last character. */
const WIDE = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x20000, 0x3fffd],
] as const;

const isWide = (code: number): boolean => WIDE.some(([first, last]) => code >= first && code <= last);
