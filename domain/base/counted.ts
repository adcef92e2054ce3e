const english = new Intl.PluralRules('en');

/** `1 image is`, `2 images are`: a count with the words that fit it, by the rules of English. */
export function counted(count: number, one: string, other: string): string {
  return `${count} ${english.select(count) === 'one' ? one : other}`;
}
