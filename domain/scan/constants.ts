/** Where a number in the code comes from. */
export type Source =
  /** A command of this repository computed it. */
  | { kind: 'fitted'; data: string; command: string; date: string }
  /** A person chose it by what it did to the results. */
  | { kind: 'tuned'; data: string; how: string }
  /** Nobody measured it: a paper, a library or we ourselves say so. */
  | { kind: 'convention'; whose: string };

/** A number (or a list of them) that the code depends on, and what a stranger has to know of it. */
interface Constant<Value> {
  value: Value;
  unit: string;
  sentence: string;
  source: Source;
}

/** An entry of a table. `unit`: of the value; `sentence`: what it decides. */
export function constant<Value>(value: Value, unit: string, sentence: string, source: Source): Constant<Value> {
  return { value, unit, sentence, source };
}

/** A table's values by name, as the code beside it reads them. */
export function valuesOf<Table extends Record<string, Constant<unknown>>>(
  table: Table,
): { readonly [Name in keyof Table]: Table[Name]['value'] } {
  const values = Object.entries(table).map(([name, { value }]) => [name, value]);
  return Object.fromEntries(values) as { readonly [Name in keyof Table]: Table[Name]['value'] };
}

/** Chosen on the demo's cars by `npm run bench -- detect --data demo`; no search over values is on record. */
export const RENDERED: Source = {
  kind: 'tuned',
  data: 'rendered cars with planted errors, one seed of `npm run bench -- detect --data demo`',
  how: 'by hand, while average precision and calibration were watched; no search is on record',
};

/** Chosen while labels of photos were corrected by people; neither the labels nor a search are on record. */
export const PHOTOS: Source = {
  kind: 'tuned',
  data: 'corrected labels of real car photos, of which the repository keeps none',
  how: 'by hand; no search is on record',
};

/** Chosen so that copies differ from the demo's planted errors in sizes and shares. */
export const INJECTED: Source = {
  kind: 'tuned',
  data: 'rendered cars with planted errors, whose sizes these are not',
  how: 'by hand: wide enough that each kind has a slope to stand on',
};

/** What had to be some number, and any near it would do. */
export const OURS: Source = { kind: 'convention', whose: 'ours; values near it do as well' };
