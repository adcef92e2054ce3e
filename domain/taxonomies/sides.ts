/** The side that a word of a name says. Short forms mean a side only beside another word: `l` alone is a letter. */
const SIDE_WORDS: ReadonlyMap<string, { side: 'left' | 'right'; spelling: string; isWhole: boolean }> = new Map([
  ['left', { side: 'left', spelling: 'left/right', isWhole: true }],
  ['right', { side: 'right', spelling: 'left/right', isWhole: true }],
  ['lh', { side: 'left', spelling: 'lh/rh', isWhole: false }],
  ['rh', { side: 'right', spelling: 'lh/rh', isWhole: false }],
  ['l', { side: 'left', spelling: 'l/r', isWhole: false }],
  ['r', { side: 'right', spelling: 'l/r', isWhole: false }],
]);

/** Two names that differ in the side alone. */
export interface SidePair {
  left: string;
  right: string;
}

/**
 * The pairs among names that become each other in a mirrored picture, such as `left_door` and `right_door` or `Door
 * (L)` and `Door (R)`, in the order of their left names. The side is one word of its own, in any place; names with two
 * such words, and pairs with several candidates, make no pair.
 *
 * @returns also the names that say `left` or `right` and are in no pair; a short form alone may mean anything
 */
export function sidePairs(names: readonly string[]): { pairs: SidePair[]; unpaired: string[] } {
  const byRest = new Map<string, { left: string[]; right: string[] }>();
  for (const name of names) {
    const said = sideOf(name);
    if (said === null) continue;
    const both = byRest.get(said.rest) ?? { left: [], right: [] };
    both[said.side].push(name);
    byRest.set(said.rest, both);
  }
  const pairs = [...byRest.values()].flatMap(({ left, right }): SidePair[] =>
    left.length === 1 && right.length === 1 ? [{ left: left[0] as string, right: right[0] as string }] : [],
  );
  const paired = new Set(pairs.flatMap(({ left, right }) => [left, right]));
  const order = new Map(names.map((name, at) => [name, at]));
  return {
    pairs: pairs.sort((a, b) => (order.get(a.left) ?? 0) - (order.get(b.left) ?? 0)),
    unpaired: names.filter((name) => !paired.has(name) && saysSide(name)),
  };
}

/** The side that a name says, and the name without it; null if it says none, or several. */
function sideOf(name: string): { side: 'left' | 'right'; rest: string } | null {
  const words = wordsOf(name);
  const said = words.flatMap((word, at) => {
    const found = SIDE_WORDS.get(word);
    return found === undefined || (!found.isWhole && words.length === 1) ? [] : [{ ...found, at }];
  });
  const [only, ...more] = said;
  if (only === undefined || more.length > 0) return null;
  return { side: only.side, rest: JSON.stringify(words.with(only.at, ` ${only.spelling}`)) };
}

const saysSide = (name: string): boolean => wordsOf(name).some((word) => SIDE_WORDS.get(word)?.isWhole === true);

/** Letters and numbers, apart from what stands between them; `LeftDoor` and `doorLeft` are two words. */
const wordsOf = (name: string): string[] =>
  name
    .normalize('NFC')
    .replace(/(\p{Ll}|\p{N})(Left|Right)(?!\p{Ll})/gu, '$1 $2')
    .replace(/(?<!\p{L})(Left|Right|left|right)(?=\p{Lu})/gu, '$1 ')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
