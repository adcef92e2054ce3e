/** The source of a number in the code. */
export type Source =
  /** A command of this repository computed it. */
  | { kind: 'fitted'; data: string; command: string; date: string }
  /** A person chose it by its effect on the results. */
  | { kind: 'tuned'; data: string; how: string }
  /** Nobody measured it: it comes from a paper, from a library or from us. */
  | { kind: 'convention'; whose: string };

/** A number (or a list of them) that the code depends on, with the facts that a stranger needs. */
interface Constant<Value> {
  value: Value;
  unit: string;
  sentence: string;
  source: Source;
}

/** An entry of a table. `unit`: of the value; `sentence`: its effect. */
export function constant<Value>(value: Value, unit: string, sentence: string, source: Source): Constant<Value> {
  return { value, unit, sentence, source };
}

/** A table's values by name, for the code beside it. */
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
  how: 'by hand, with an eye on average precision and calibration; no search is on record',
};

/** Chosen while people corrected labels of photos; neither the labels nor a search are on record. */
export const PHOTOS: Source = {
  kind: 'tuned',
  data: 'corrected labels of real car photos, none of which is in the repository',
  how: 'by hand; no search is on record',
};

/** Chosen by errors that people really made. */
export const OLD_LABELS: Source = {
  kind: 'tuned',
  data: 'labels of 199 DSMLR photos before people corrected them (`npm run bench -- detect --data real`)',
  how: 'a few values were tried, and that with the best average precision of missing parts and images was kept',
};

/** Chosen so that copies differ from the demo's planted errors in sizes and shares. */
export const INJECTED: Source = {
  kind: 'tuned',
  data: 'rendered cars with planted errors; these sizes differ from theirs',
  how: 'by hand: wide enough that each kind has a slope',
};

/** A number that had to be chosen, by nobody's measurement. */
export const OURS: Source = { kind: 'convention', whose: 'ours, chosen by hand; no other value was measured' };
